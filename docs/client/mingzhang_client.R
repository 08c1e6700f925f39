# A client for the API of a Mingzhang site: one file, R 4.1 or newer with jsonlite and curl. Copy it.
#
#     source("mingzhang_client.R")
#     site <- mingzhang("https://data.example.gov.cn")
#     values <- site$values("energy_tce", dimension = "total")
#     plot(values$year, values$value, type = "b")
#
#     then <- site$at("2025-12-31-0a1b2c3d")       # the same figures for ever
#     rows <- then$sql("select year, value from indicator_values where indicator_id = :i
#       and dimension = 'total' and factor_set = 'default'", i = "energy_tce")
#
# Rows come as a data frame. Errors are conditions of class `refused`: `code` stays the same from release to release, the message
# says what to do.

mingzhang <- function(address, tries = 4, wait = Sys.sleep) {
  address <- sub("/+$", "", address)
  root <- sub("/r/.*$", "", address)

  refused <- function(said) {
    parts <- list(message = said$error, call = NULL, code = said$code, status = said$status, chinese = said$error_zh)
    stop(structure(class = c("refused", "error", "condition"), parts))
  }

  # The JSON at a path; waits as long as it is told to where it asked too often.
  get <- function(path, ...) {
    given <- Filter(Negate(is.null), list(...))
    encoded <- vapply(given, function(v) curl::curl_escape(enc2utf8(as.character(v))), "")
    query <- paste(curl::curl_escape(names(given)), encoded, sep = "=", collapse = "&")
    url <- if (startsWith(path, "http")) path else paste0(address, path)
    if (length(given)) url <- paste0(url, if (grepl("?", url, fixed = TRUE)) "&" else "?", query)
    for (left in rev(seq_len(tries) - 1)) {
      answer <- curl::curl_fetch_memory(url, curl::new_handle(httpheader = "Accept: application/json"))
      text <- rawToChar(answer$content)
      Encoding(text) <- "UTF-8"
      headers <- curl::parse_headers_list(answer$headers)
      if (answer$status_code < 400) {
        said <- jsonlite::fromJSON(text)
        return(structure(said, truncated = identical(headers[["x-truncated"]], "true")))
      }
      if (!(answer$status_code %in% c(429, 503)) || left == 0) refused(jsonlite::fromJSON(text))
      later <- headers[["retry-after"]]
      wait(min(60, if (is.null(later)) 2 else as.numeric(later)))
    }
  }

  # The rows under `key` of every page, as one data frame.
  pages <- function(path, key, ...) {
    said <- get(path, ...)
    parts <- list(said[[key]])
    while (!is.null(said$`next`)) {
      said <- get(paste0(root, said$`next`))
      parts <- c(parts, list(said[[key]]))
    }
    full <- Filter(is.data.frame, parts)
    if (length(full)) jsonlite::rbind_pages(full) else data.frame()
  }

  one <- function(text) curl::curl_escape(enc2utf8(as.character(text)))
  list(
    at = function(release_id) mingzhang(paste0(root, "/r/", release_id), tries, wait),
    get = get,
    indicators = function(...) pages("/api/v1/indicators", "indicators", ...),
    # Its values, with the factors in force; `factor_set` gives another series, "all" every one.
    values = function(indicator_id, ...) pages(paste0("/api/v1/indicators/", one(indicator_id)), "values", ...),
    claims = function(...) pages("/api/v1/claims", "claims", ...),
    datasets = function(...) pages("/api/v1/datasets", "datasets", ...),
    provenance = function(indicator_id, year, dimension = "total", member = "all", ...) {
      where <- paste(vapply(list(indicator_id, year, dimension, member), one, ""), collapse = "/")
      pages(paste0("/api/v1/provenance/", where), "files", ...)
    },
    releases = function() pages("/api/v1/releases", "releases"),
    # The rows of a SELECT, at most 1,000; attr(rows, "truncated") says whether there were more. :names in it are bound.
    sql = function(query, ...) get("/mingzhang.json", sql = query, `_shape` = "array", ...)
  )
}
