// Has openapi-typescript make types of a site's description, TypeScript compile a program that uses them strictly, and the program run.
import { execFileSync } from "child_process";
import fs from "fs";
import path from "path";
import { fileURLToPath } from "url";
import openapiTS, { astToString } from "openapi-typescript";

const site = process.argv[2], folder = process.argv[3], here = path.dirname(fileURLToPath(import.meta.url));
const description = await (await fetch(`${site}/openapi.json`)).json();
fs.writeFileSync(path.join(folder, "api.d.ts"), astToString(await openapiTS(description)));
fs.copyFileSync(process.argv[4], path.join(folder, "program.ts"));
fs.writeFileSync(path.join(folder, "package.json"), '{"type": "module"}');
fs.symlinkSync(path.join(here, "node_modules"), path.join(folder, "node_modules"));
const options = ["--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "--skipLibCheck", "--target", "es2022", "--module", "nodenext", "program.ts"];
let wrong = "";
try {
  execFileSync("node", [path.join(here, "node_modules", "typescript", "bin", "tsc"), ...options], { cwd: folder });
} catch (e) {
  wrong = String(e.stdout);
}
const said = wrong ? {} : JSON.parse(execFileSync("node", ["program.js", site], { cwd: folder }).toString());
console.log(JSON.stringify({ wrong, ...said }));
