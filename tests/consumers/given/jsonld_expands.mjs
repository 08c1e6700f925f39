// Makes triples of a catalogue's text, of which the reader knows no address: what has no absolute address is dropped without a word.
import jsonld from "jsonld";

const text = await (await fetch(process.argv[2])).json();
const lines = (await jsonld.toRDF(text, { format: "application/n-quads" })).split("\n");
const of = (property) => lines.filter((line) => line.includes(`dcat#${property}>`)).map((line) => line.split("> ")[2]?.replace(/^</, ""));
const urls = lines.filter((line) => line.includes("dcat#downloadURL>")).map((line) => line.match(/downloadURL> <([^>]*)>/)[1]);
console.log(JSON.stringify({ triples: lines.length, urls, datasets: of("dataset").length }));
