/* A client for the API of a Mingzhang site: one file, no dependencies, for browsers and Node 18 or newer. Copy it.

    import { Mingzhang } from "./mingzhang_client.mjs";
    const site = new Mingzhang("https://data.example.gov.cn");
    for await (const value of site.values("energy_tce", { dimension: "total" })) console.log(value.year, value.value);

    const then = site.at("2025-12-31-0a1b2c3d");   // the same figures for ever
    const rows = await then.sql(
      "select year, value from indicator_values where indicator_id = :i and dimension = 'total' and factor_set = 'default'",
      { i: "energy_tce" },
    );

Errors are thrown as `Refused`: `code` stays the same from release to release, the message says what to do. */

export class Refused extends Error {
  constructor(said) {
    super(said.error ?? "");
    [this.code, this.status, this.chinese] = [said.code, said.status, said.error_zh];
  }
}

const sleep = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

export class Mingzhang {
  /** `wait(seconds)` is how it waits where it asked too often. */
  constructor(address, { tries = 4, wait = sleep } = {}) {
    Object.assign(this, { address: address.replace(/\/+$/, ""), tries, wait, truncated: false });
  }

  /** The same site as it was at a release. */
  at(release) {
    return new Mingzhang(`${this.address.split("/r/")[0]}/r/${release}`, { tries: this.tries, wait: this.wait });
  }

  /** The JSON at a path; waits as long as it is told to where it asked too often. */
  async get(path, given = {}) {
    const url = new URL(path.startsWith("http") ? path : this.address + path);
    for (const [name, value] of Object.entries(given)) if (value != null) url.searchParams.set(name, value);
    for (let left = this.tries - 1; ; left--) {
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      this.truncated = answer.headers.get("X-Truncated") === "true";
      if (answer.ok) return answer.json();
      if (![429, 503].includes(answer.status) || left <= 0) throw new Refused(await answer.json());
      await this.wait(Math.min(60, Number(answer.headers.get("Retry-After")) || 2));
    }
  }

  /** The rows under `key` of every page, one after the other. */
  async *pages(path, key, given = {}) {
    const root = this.address.split("/r/")[0];
    while (path) {
      const said = await this.get(path, given);
      yield* said[key];
      [path, given] = [said.next && root + said.next, {}];
    }
  }

  indicators(filters) { return this.pages("/api/v1/indicators", "indicators", filters); }

  /** Its values, with the factors in force; `factor_set` gives another series, "all" every one. */
  values(indicator, filters) { return this.pages(`/api/v1/indicators/${encodeURIComponent(indicator)}`, "values", filters); }

  claims(filters) { return this.pages("/api/v1/claims", "claims", filters); }

  datasets(filters) { return this.pages("/api/v1/datasets", "datasets", filters); }

  provenance(indicator, year, dimension = "total", member = "all", filters = {}) {
    const where = [indicator, year, dimension, member].map(encodeURIComponent).join("/");
    return this.pages(`/api/v1/provenance/${where}`, "files", filters);
  }

  releases() { return this.pages("/api/v1/releases", "releases"); }

  /** The rows of a SELECT, at most 1,000; `truncated` says whether there were more. :names in it are bound. */
  sql(query, values = {}) { return this.get("/mingzhang.json", { sql: query, _shape: "array", ...values }); }
}
