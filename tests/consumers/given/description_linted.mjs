// Has a linter look at a site's description: the errors and warnings it finds by its rules as they come.
import { execFileSync } from "child_process";
import fs from "fs";
import path from "path";
import { fileURLToPath } from "url";

const [site, folder, tool] = process.argv.slice(2), bin = path.join(path.dirname(fileURLToPath(import.meta.url)), "node_modules", ".bin");
const at = path.join(folder, "openapi.json");
fs.writeFileSync(at, await (await fetch(`${site}/openapi.json`)).text());
fs.writeFileSync(path.join(folder, "redocly.yaml"), "extends: [recommended]\ntelemetry: off\n");
fs.writeFileSync(path.join(folder, ".spectral.yaml"), "extends: spectral:oas\n");
const commands = {
  redocly: ["lint", at, "--format", "json", "--config", path.join(folder, "redocly.yaml")],
  spectral: ["lint", at, "--format", "json", "--quiet", "--ruleset", path.join(folder, ".spectral.yaml")],
};
let said;
try {
  said = execFileSync(path.join(bin, tool), commands[tool], { cwd: folder, env: { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" } }).toString();
} catch (e) {
  if (!e.stdout?.length) throw e;
  said = e.stdout.toString();
}
const found = JSON.parse(said.slice(said.search(/[[{]/)));
const problems = Array.isArray(found)
  ? found.map((p) => [["error", "warning", "info", "hint"][p.severity], p.code, p.message])
  : found.problems.map((p) => [p.severity === "warn" ? "warning" : p.severity, p.ruleId, p.message]);
console.log(JSON.stringify(problems));
