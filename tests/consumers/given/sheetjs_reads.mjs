// Reads each workbook of a folder: the header and the texts of its first data sheet, and the number of rows.
import fs from "fs";
import path from "path";
import XLSX from "xlsx";

const folder = process.argv[2], out = {};
for (const name of fs.readdirSync(folder).filter((n) => n.endsWith(".xlsx"))) {
  const book = XLSX.readFile(path.join(folder, name));
  const rows = book.SheetNames.filter((s) => s.startsWith("数据")).flatMap((s) => XLSX.utils.sheet_to_json(book.Sheets[s], { header: 1, blankrows: true }).slice(1));
  const texts = rows.flat().filter((v) => typeof v === "string");
  out[path.basename(name, ".xlsx")] = { rows: rows.length, texts: texts.length, markup: texts.filter((t) => t.includes("xml:space")).length };
}
console.log(JSON.stringify(out));
