// Reads every resource of a package from disk, each row cast by its schema.
import datapackage from "datapackage";

const pack = await datapackage.Package.load(process.argv[2]);
const rows = {}, errors = [...pack.errors.map(String)];
for (const resource of pack.resources) {
  try {
    rows[resource.name] = (await resource.read({ keyed: true })).length;
  } catch (e) {
    errors.push(`${resource.name}: ${(e.errors ?? [e]).slice(0, 2).join("; ")}`);
  }
}
console.log(JSON.stringify({ rows, errors }));
