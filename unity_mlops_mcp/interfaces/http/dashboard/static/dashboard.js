"use strict";
(() => {
  // ---- charts: the server's SVG is replaced by one that can be read with mouse and keyboard.
  const plots = new Map();
  const dashedFrom = 4, colors = 8;
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const faint = (text, alpha) => {
    const n = parseInt(text.slice(1), 16);
    return "rgba(" + (n >> 16) + "," + ((n >> 8) & 255) + "," + (n & 255) + "," + alpha + ")";
  };
  const figure = (value) => {
    const size = Math.abs(value);
    return size !== 0 && (size < 1e-4 || size >= 1e6) ? value.toExponential(2) : String(parseFloat(value.toPrecision(4)));
  };
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const told = (value, unit) => {
    if (value === null || value === undefined) return "\u2013";
    if (unit === "share") return parseFloat((100 * value).toFixed(1)) + " %";
    if (unit !== "bytes") return figure(value);
    const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(value, 1)) / 3));
    return figure(value / Math.pow(1000, power)) + " " + units[power];
  };
  const steps = (value) => value >= 1e6 ? figure(value / 1e6) + "M" : value >= 1e3 ? figure(value / 1e3) + "k" : figure(value);
  const table = (chart) => uPlot.join(chart.lines.map((line) => line.low.length ? [line.x, line.y, line.low, line.high] : [line.x, line.y]));
  const high = (width) => Math.round(Math.max(180, Math.min(260, width * 0.42)));
  const shape = (chart) => JSON.stringify([chart.unit, chart.stepped, chart.lines.map((line) => [line.label, line.color, line.low.length > 0, line.x.length === 1])]);

  const options = (plot, width) => {
    const { chart } = plot, series = [{}], bands = [];
    for (const line of chart.lines) {
      const ink = color("c" + line.color % colors);
      const common = { spanGaps: true, points: { show: line.x.length === 1 } };
      if (chart.stepped) common.paths = uPlot.paths.stepped({ align: 1 });
      series.push({ ...common, label: line.label, stroke: ink, width: 2, dash: line.color >= dashedFrom ? [7, 4] : undefined });
      if (!line.low.length) continue;
      const edge = { ...common, stroke: "transparent", width: 0, points: { show: false } };
      series.push({ ...edge, label: line.label + ", lowest" }, { ...edge, label: line.label + ", highest" });
      bands.push({ series: [series.length - 1, series.length - 2], fill: faint(ink, 0.16) });
    }
    const axis = { stroke: color("ink2"), font: "12px system-ui, sans-serif", grid: { stroke: color("grid"), width: 1 }, ticks: { stroke: color("axis"), width: 1, size: 4 } };
    return {
      width, height: high(width), series, bands, legend: { show: false },
      cursor: { sync: { key: "steps", setSeries: false }, drag: { x: true, y: false }, points: { size: 7 } },
      scales: { x: { time: false }, y: { range: (u, low, top) => {
        if (low === null) return [0, 1];
        if (chart.unit === "share" && top <= 1) return [0, 1];
        const least = chart.unit || chart.stepped ? Math.min(0, low) : low;
        const pad = (top - least || Math.abs(top) || 1) * 0.06;
        return [least === 0 ? 0 : least - pad, top + pad];
      } } },
      axes: [
        { ...axis, values: (u, ticks) => ticks.map(steps), grid: { show: false }, size: 32 },
        { ...axis, values: (u, ticks) => ticks.map((tick) => told(tick, chart.unit)), size: 58 },
      ],
      hooks: { setCursor: [(u) => read(u, plot)] },
    };
  };

  const read = (u, plot) => {
    const at = u.cursor.idx, parts = [];
    if (!plot.out) return;
    if (at === null || at === undefined) { plot.out.textContent = ""; return; }
    const x = u.data[0][at];
    for (const line of plot.chart.lines) {
      let near = -1, gap = Infinity;
      line.x.forEach((value, index) => { const d = Math.abs(value - x); if (d < gap) { gap = d; near = index; } });
      let text = told(line.y[near], plot.chart.unit);
      if (line.low.length) text += " (" + told(line.low[near], plot.chart.unit) + " to " + told(line.high[near], plot.chart.unit) + ")";
      parts.push(plot.chart.lines.length > 1 ? line.label + " " + text : text);
    }
    plot.out.textContent = "step " + Math.round(x).toLocaleString("en") + ": " + parts.join("; ");
  };

  // Arrows move the cursor, with Shift by ten; Home and End go to the ends; Escape shows all again.
  const keys = (event, u) => {
    const last = u.data[0].length - 1, now = u.cursor.idx === null || u.cursor.idx === undefined ? 0 : u.cursor.idx;
    const by = event.shiftKey ? 10 : 1;
    const to = { ArrowRight: now + by, ArrowLeft: now - by, Home: 0, End: last }[event.key];
    if (event.key === "Escape") u.setData(u.data);
    else if (to === undefined) return;
    else {
      const index = Math.max(0, Math.min(last, to));
      u.setCursor({ left: u.valToPos(u.data[0][index], "x"), top: u.over.clientHeight / 2 });
    }
    event.preventDefault();
  };

  const make = (box, text) => {
    const place = box.querySelector(".plot"), plot = { text, place, chart: JSON.parse(text) };
    plot.shape = shape(plot.chart);
    place.classList.add("drawn");
    place.querySelectorAll(".readout").forEach((old) => old.remove());
    plot.u = new uPlot(options(plot, place.clientWidth), table(plot.chart), place);
    plot.out = document.createElement("div");
    plot.out.className = "readout";
    plot.out.setAttribute("aria-live", "polite");
    place.append(plot.out);
    plot.u.over.tabIndex = 0;
    plot.u.over.setAttribute("role", "group");
    plot.u.over.addEventListener("keydown", (event) => keys(event, plot.u));
    return plot;
  };

  const drawAll = () => {
    for (const [box, plot] of plots) if (!box.isConnected) { plot.u.destroy(); plots.delete(box); }
    document.querySelectorAll("figure[data-lines]").forEach((box) => {
      const text = box.dataset.lines;
      let plot = plots.get(box);
      if (plot && plot.text !== text) {
        const chart = JSON.parse(text);
        if (shape(chart) === plot.shape) { plot.text = text; plot.chart = chart; plot.u.setData(table(chart)); }
        else { plot.u.destroy(); plot = undefined; }
      }
      if (!plot) plots.set(box, plot = make(box, text));
      plot.u.over.setAttribute("aria-label", box.dataset.label + ". Arrow keys read the values.");
    });
  };
  const redraw = () => {
    for (const plot of plots.values()) plot.u.destroy();
    plots.clear();
    drawAll();
  };

  // ---- what is on the page follows what the server says now; focus, choices, open parts and plots stay.
  const same = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || "") === (b.id || "");
  const follow = (old, fresh) => {
    if (old.nodeType !== Node.ELEMENT_NODE) { if (old.data !== fresh.data) old.data = fresh.data; return; }
    if (old.hasAttribute("data-keep")) return;
    const stays = old.nodeName === "DETAILS" ? "open" : old.nodeName === "INPUT" ? "value" : "";
    for (const { name, value } of [...fresh.attributes]) if (name !== stays && old.getAttribute(name) !== value) old.setAttribute(name, value);
    for (const { name } of [...old.attributes]) if (name !== stays && !fresh.hasAttribute(name)) old.removeAttribute(name);
    let at = old.firstChild;
    for (const child of [...fresh.childNodes]) {
      if (at && same(at, child)) { const next = at.nextSibling; follow(at, child); at = next; continue; }
      const known = child.id ? [...old.children].find((one) => one.id === child.id) : undefined;
      if (known) { old.insertBefore(known, at); follow(known, child); }
      else old.insertBefore(document.importNode(child, true), at);
    }
    while (at) { const next = at.nextSibling; at.remove(); at = next; }
  };

  const connection = document.getElementById("connection");
  const main = document.getElementById("main");
  const page = location.pathname + location.search;
  let failures = 0, timer, looking = false;
  const tell = (text) => { if (connection.textContent !== text) connection.textContent = text; };
  const pause = () => Number(document.body.dataset.refresh) * Math.min(8, 2 ** failures);

  const look = async () => {
    if (document.hidden || looking) return;
    looking = true;
    try {
      const answer = await fetch(page, { headers: { accept: "text/html" }, redirect: "manual", signal: AbortSignal.timeout(20000) });
      if (answer.status === 401 || answer.status === 403 || answer.type === "opaqueredirect") {
        document.body.dataset.refresh = "0";
        return tell("You are logged out. Log in again, then load this page anew.");
      }
      if (answer.status >= 500 || answer.status === 429) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const log = document.getElementById("log");
      const atEnd = log && log.scrollHeight - log.scrollTop - log.clientHeight < 8;
      follow(main, fresh.getElementById("main"));
      document.title = fresh.title;
      document.body.dataset.refresh = fresh.body.dataset.refresh;
      if (atEnd) log.scrollTop = log.scrollHeight;
      drawAll();
      failures = 0;
      tell("");
    } catch {
      failures += 1;
      if (failures > 1) tell("The service does not answer. What you see may be out of date; it is tried again.");
    } finally {
      looking = false;
      plan();
    }
  };
  const plan = () => {
    clearTimeout(timer);
    if (Number(document.body.dataset.refresh)) timer = setTimeout(look, 1000 * pause());
  };

  document.addEventListener("visibilitychange", () => { if (!document.hidden && Number(document.body.dataset.refresh)) look(); });
  document.addEventListener("submit", (event) => {
    const form = event.target, once = form.dataset.once;
    if (!once) return;
    const button = form.querySelector("button");
    if (button.disabled) return event.preventDefault();
    button.textContent = once;
    setTimeout(() => { button.disabled = true; });
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  drawAll();
  const log = document.getElementById("log");
  if (log) log.scrollTop = log.scrollHeight;
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    for (const { u, place } of plots.values()) u.setSize({ width: place.clientWidth, height: high(place.clientWidth) });
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  plan();
})();
