// Reads each workbook of a folder: the number of rows, and the texts that have markup in them.
import fs from "fs";
import path from "path";
import ExcelJS from "exceljs";

const folder = process.argv[2], out = {};
for (const name of fs.readdirSync(folder).filter((n) => n.endsWith(".xlsx"))) {
  const book = new ExcelJS.Workbook();
  await book.xlsx.readFile(path.join(folder, name));
  const seen = { rows: 0, texts: 0, markup: 0 };
  for (const sheet of book.worksheets.filter((s) => s.name.startsWith("数据"))) {
    seen.rows += sheet.rowCount - 1;
    sheet.eachRow((row, n) => n > 1 && row.eachCell((cell) => {
      if (typeof cell.value === "string") { seen.texts += 1; seen.markup += cell.value.includes("xml:space"); }
    }));
  }
  out[path.basename(name, ".xlsx")] = seen;
}
console.log(JSON.stringify(out));
