// Under each chart a slider of its years, which says the figures of one: by pointing, touch, keyboard and screen reader alike; what is
// chosen is drawn at once; and texts to take along get a button that copies them. Without JavaScript every page is whole.
"use strict";
(() => {
  const chinese = document.documentElement.lang.startsWith("zh");
  const words = chinese
    ? { year: "看哪一年", copy: "复制", copied: "已复制", failed: "没有画成，请按“显示”" }
    : { year: "Year to read", copy: "Copy", copied: "Copied", failed: "That could not be drawn; press Show" };
  const make = (tag, properties, parent) => parent.appendChild(Object.assign(document.createElement(tag), properties));

  function answering(drawing) {
    const columns = [...drawing.querySelectorAll(".column")];
    if (!columns.length) return;
    const place = make("div", { className: "reading" }, drawing);
    const label = make("label", {}, place);
    make("span", { className: "unseen", textContent: words.year }, label);
    const slider = make("input", { type: "range", min: 0, max: columns.length - 1, step: 1, value: columns.length - 1 }, label);
    const said = make("output", {}, place);
    said.setAttribute("aria-live", "off"); // the slider's own value is read out
    const show = (n) => {
      slider.value = n;
      const [year, ...figures] = columns[n].dataset.said.split("\n");
      columns.forEach((c, i) => c.classList.toggle("on", i === Number(n)));
      said.replaceChildren();
      make("b", { textContent: year }, said);
      for (const figure of figures) make("span", { textContent: figure.replace("\t", " ") }, said);
      slider.setAttribute("aria-valuetext", [year, ...figures].join(chinese ? "，" : ", ").replaceAll("\t", " "));
    };
    slider.addEventListener("input", () => show(Number(slider.value)));
    columns.forEach((column, n) => {
      for (const event of ["pointerenter", "pointerdown"]) column.addEventListener(event, () => show(n));
    });
    show(columns.length - 1);
  }

  function copying(text) {
    const button = make("button", { type: "button", className: "quiet-button copy", textContent: words.copy }, document.createElement("p"));
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text.dataset.copy || text.innerText.trim());
        button.textContent = words.copied;
      } catch {
        getSelection().selectAllChildren(text); // without permission the reader copies what is marked
      }
      setTimeout(() => { button.textContent = words.copy; }, 2000);
    });
    text.after(button.parentNode);
  }

  function prepare(part) {
    const today = new Date();
    const written = [today.getFullYear(), today.getMonth() + 1, today.getDate()].map((n) => String(n).padStart(2, "0")).join("-");
    part.querySelectorAll(".today").forEach((place) => { place.textContent = written; });
    part.querySelectorAll("figure.chart > div").forEach(answering);
    part.querySelectorAll("[data-copy]").forEach(copying);
  }

  // A choice is an address: it is fetched, and its part of the page put in place. What is slower than the last choice is dropped.
  let last = 0;
  async function choose(address, id) {
    const mine = ++last;
    const place = document.getElementById(id);
    place.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address);
      if (!answer.ok) throw new Error(answer.status);
      const part = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(id);
      if (mine !== last) return;
      place.replaceChildren(...part.childNodes);
      prepare(place);
      history.replaceState(null, "", address);
      document.querySelectorAll("a.language").forEach((a) => { a.search = new URL(address, location).search; });
    } catch {
      make("p", { className: "note", role: "status", textContent: words.failed }, place);
    } finally {
      place.removeAttribute("aria-busy");
    }
  }

  for (const form of document.querySelectorAll("form[data-view]")) {
    form.addEventListener("change", () => {
      const chosen = new URLSearchParams(new FormData(form)).toString().replaceAll("%2F", "/");
      choose(`${form.action.split("#")[0]}${chosen && `?${chosen}`}`, form.dataset.view);
    });
  }
  prepare(document);
})();
