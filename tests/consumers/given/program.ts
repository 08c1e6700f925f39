// Compiled strictly: every value below has a type that the description states.
import createClient from "openapi-fetch";
import type { paths } from "./api.d.ts";

// openapi-fetch knows no style of a parameter while it runs; filters are named after their columns (style form, exploded).
const querySerializer = { object: { style: "form" as const, explode: true } };
const client = createClient<paths>({ baseUrl: process.argv[2]!, querySerializer });

function rows<T>(answer: { data?: T; error?: unknown }): T {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

const index = rows(await client.GET("/api/v1"));
const paths_: string[] = index.resources.map((r) => r.path);
const indicators = rows(await client.GET("/api/v1/indicators", { params: { query: { limit: 3 } } }));
const names: string[] = indicators.indicators.map((i) => i.indicator_id);
const one = rows(await client.GET("/api/v1/indicators/{indicator_id}", { params: { path: { indicator_id: "energy_tce" }, query: { dimension: "total" } } }));
const years: number[] = one.values.map((v) => v.year);
const statuses: ("A" | "E" | "F" | "P" | "O" | "Q")[] = one.values.map((v) => v.status);
const values: (number | null)[] = one.values.map((v) => v.value);
const labels: string[] = one.values.map((v) => v.member_zh);
const table = rows(await client.GET("/mingzhang/{table}.json", { params: { path: { table: "indicator_values" }, query: { _size: "5", filters: { year__gte: "2025" } } } }));
const kept: { [key: string]: unknown }[] = table.rows;
const counted = rows(await client.GET("/mingzhang.json", { params: { query: { sql: "select count(*) as n from indicators" } } }));
const refused = await client.GET("/api/v1/claims", { params: { query: { check_status: "match", limit: 1 } } });
const wrong = await client.GET("/api/v1/indicators/{indicator_id}", { params: { path: { indicator_id: "nothing" } } });
const code: string | undefined = wrong.error?.code;
console.log(JSON.stringify({ paths: paths_.length, names, years, statuses, values, labels, kept: kept.length, counted: counted.rows, claims: refused.data?.claims.length, code }));
