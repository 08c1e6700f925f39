# Reads every CSV file of a folder with readr, data.table and read.csv: rows, and what a column of the indicator values becomes.
library(jsonlite)
folder <- commandArgs(TRUE)[1]
files <- list.files(folder, "\\.csv$", full.names = TRUE)
rows <- function(read) setNames(lapply(files, function(f) nrow(read(f))), sub("\\.csv$", "", basename(files)))
types <- function(d) list(value = class(d$value)[1], member = class(d$member)[1], synthetic = class(d$synthetic)[1])
kinds <- list(
  readr = function(f) readr::read_csv(f, show_col_types = FALSE, progress = FALSE, na = c("", "\\N"), guess_max = Inf),
  data.table = function(f) data.table::fread(f, encoding = "UTF-8", na.strings = c("", "\\N")),
  base = function(f) read.csv(f, encoding = "UTF-8", check.names = FALSE, na.strings = c("", "\\N"))
)
read <- kinds[[commandArgs(TRUE)[2]]]
provenance <- suppressWarnings(if (commandArgs(TRUE)[2] == "readr") readr::read_csv(file.path(folder, "provenance.csv"), show_col_types = FALSE, progress = FALSE, na = "\\N", guess_max = Inf)
  else if (commandArgs(TRUE)[2] == "data.table") data.table::fread(file.path(folder, "provenance.csv"), na.strings = "\\N")
  else read.csv(file.path(folder, "provenance.csv"), na.strings = "\\N", check.names = FALSE))
values <- read(file.path(folder, "indicator_values.csv"))
names <- unique(unlist(lapply(files, function(f) names(read(f)))))
cat(toJSON(list(rows = rows(read), types = types(values), sum = sum(as.numeric(values$value), na.rm = TRUE), changed = setdiff(names, unique(unlist(lapply(files, function(f) strsplit(readLines(f, 1, encoding = "UTF-8"), ",")[[1]])))), absent = sum(is.na(provenance$sheet)), empty = sum(provenance$sheet == "", na.rm = TRUE)), auto_unbox = TRUE, digits = NA), "\n", sep = "")
