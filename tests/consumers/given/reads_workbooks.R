# Reads the first sheet of every workbook of a folder: rows, and how many texts have markup in them.
library(jsonlite)
folder <- commandArgs(TRUE)[1]
read <- list(
  openxlsx = function(f) openxlsx::read.xlsx(f, sheet = 1, skipEmptyRows = FALSE, skipEmptyCols = FALSE),
  readxl = function(f) readxl::read_excel(f, sheet = 1, guess_max = 200000)
)[[commandArgs(TRUE)[2]]]
files <- list.files(folder, "\\.xlsx$", full.names = TRUE)
out <- lapply(files, function(f) {
  d <- suppressWarnings(read(f))
  texts <- unlist(lapply(d, function(c) if (is.character(c)) c[!is.na(c)]))
  list(rows = if (is.null(d)) 0 else nrow(d), texts = length(texts), markup = sum(grepl("xml:space", texts, fixed = TRUE)))
})
cat(toJSON(setNames(out, sub("\\.xlsx$", "", basename(files))), auto_unbox = TRUE), "\n", sep = "")
