// Reads every resource of a package from disk, by the dialect that the package states: its header and the number of its rows.
import frictionless from "frictionless.js";

const dataset = await frictionless.Dataset.load(process.argv[2]), heads = {};
for (const file of dataset.resources) {
  const rows = [];
  for await (const row of await file.rows({ keyed: false })) rows.push(row);
  heads[file.descriptor.name] = [rows[0], rows.length - 1];
}
console.log(JSON.stringify(heads));
