// A button under each chart that makes its figures answer to pointing and to the keyboard. The library (0.9 MB) is
// fetched only when somebody presses it; without JavaScript there is the picture, with the same numbers.
"use strict";
(() => {
  const fetched = {};
  const library = (url) => fetched[url] ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.type = "module";
    script.src = url;
    script.addEventListener("load", resolve);
    script.addEventListener("error", reject);
    document.head.append(script);
  });
  for (const figure of document.querySelectorAll("figure.chart")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet-button";
    button.textContent = figure.dataset.label;
    figure.append(button);
    button.addEventListener("click", async () => {
      button.disabled = true;
      const width = matchMedia("grid" in figure.dataset ? "(max-width: 720px), (min-width: 1000px)" : "(max-width: 720px)").matches ? "narrow" : "wide";
      const place = document.createElement("div");
      const picture = figure.querySelector("picture");
      try {
        await library(figure.dataset.library);
        const specification = await (await fetch(`${figure.dataset.spec}.${width}.json`)).json();
        place.setAttribute("role", "img");
        place.setAttribute("aria-label", figure.querySelector("img").alt);
        picture.after(place);
        await window.vegaEmbed(place, specification, {
          actions: false, ast: true, renderer: "canvas", defaultStyle: false, tooltip: { disableDefaultStyle: true },
        });
        picture.hidden = true;
        button.remove();
      } catch (error) {
        place.remove();
        button.disabled = false;
        throw error;
      }
    });
  }
})();
