"use strict";
(() => {
  const root = document.documentElement;
  const store = {
    get() { try { return localStorage.getItem("descentlab-theme"); } catch { return null; } },
    set(value) { try { localStorage.setItem("descentlab-theme", value); } catch { /* private window */ } },
  };
  const dark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  if (store.get() === "dark" || store.get() === "light") root.dataset.theme = store.get();
  const toggle = document.createElement("button");
  toggle.className = "theme";
  toggle.type = "button";
  const name = () => { toggle.textContent = dark() ? "Light" : "Dark"; toggle.setAttribute("aria-label", `Use ${dark() ? "light" : "dark"} colours`); };
  toggle.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; store.set(root.dataset.theme); name(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", name);
  name();
  document.body.prepend(toggle);

  const key = (row, index) => row.cells[index]?.dataset.value ?? row.cells[index]?.textContent ?? "";
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, index) => {
      if (head.dataset.sort === undefined) return;
      // No <button>: on paper Chromium leaves it out of a heading repeated on the next page.
      const button = document.createElement("span");
      button.setAttribute("role", "button");
      button.tabIndex = 0;
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        button.click();
      });
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const rows = [...table.tBodies[0].rows].filter((row) => !row.classList.contains("gap"));
        const number = head.dataset.sort === "number";
        rows.sort((one, two) => {
          const [a, b] = [key(one, index), key(two, index)];
          if (!number) return (up ? 1 : -1) * a.localeCompare(b, undefined, { numeric: true });
          if (a === "" || b === "") return (a === "") - (b === "");
          return (up ? 1 : -1) * (Number(a) - Number(b));
        });
        table.tBodies[0].append(...rows);
      });
    });
  }

  const closed = () => [...document.querySelectorAll("details:not([open])")];
  let opened = [];
  addEventListener("beforeprint", () => { opened = closed(); opened.forEach((part) => { part.open = true; }); });
  addEventListener("afterprint", () => { opened.forEach((part) => { part.open = false; }); });
})();
