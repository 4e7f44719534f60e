"use strict";
(() => {
  const charts = JSON.parse(document.getElementById("data").textContent);
  const hidden = new Set();
  const plots = [];
  const dashedFrom = 4, colors = 8;
  const style = () => getComputedStyle(document.documentElement);
  const color = (name) => style().getPropertyValue("--" + name).trim();
  const wide = (text, alpha) => {
    const n = parseInt(text.slice(1), 16);
    return "rgba(" + (n >> 16) + "," + ((n >> 8) & 255) + "," + (n & 255) + "," + alpha + ")";
  };
  const figure = (value) => {
    if (value === null || value === undefined) return "\u2013";
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

  // The lines of one chart on common steps: [x, y of each line, then low and high of each band].
  const tables = (chart) => uPlot.join(chart.lines.map((line) => line.low.length ? [line.x, line.y, line.low, line.high] : [line.x, line.y]));

  const options = (chart, width) => {
    const series = [{}], bands = [];
    for (const line of chart.lines) {
      const ink = color("c" + line.color % colors);
      const common = { spanGaps: true, show: !hidden.has(line.color), points: { show: line.x.length === 1 } };
      if (chart.stepped) common.paths = uPlot.paths.stepped({ align: 1 });
      series.push({ ...common, label: line.label, stroke: ink, width: 2, dash: line.color >= dashedFrom ? [7, 4] : undefined });
      if (!line.low.length) continue;
      const edge = { ...common, stroke: "transparent", width: 0, points: { show: false } };
      series.push({ ...edge, label: line.label + ", lowest" }, { ...edge, label: line.label + ", highest" });
      bands.push({ series: [series.length - 1, series.length - 2], fill: wide(ink, 0.16) });
    }
    const axis = { stroke: color("ink2"), font: "12px system-ui, sans-serif", grid: { stroke: color("grid"), width: 1 }, ticks: { stroke: color("axis"), width: 1, size: 4 } };
    const share = chart.unit === "share";
    return {
      width, height: Math.round(Math.max(190, Math.min(280, width * 0.42))), series, bands,
      legend: { show: false },
      cursor: { sync: { key: "steps", setSeries: false }, drag: { x: true, y: false }, points: { size: 7 } },
      scales: { x: { time: false }, y: { range: (u, low, high) => {
        if (low === null) return [0, 1];
        if (share && high <= 1) return [0, 1];
        const least = chart.unit || chart.stepped ? Math.min(0, low) : low;
        const pad = (high - least || Math.abs(high) || 1) * 0.06;
        return [least === 0 ? 0 : least - pad, high + pad];
      } } },
      axes: [
        { ...axis, values: (u, ticks) => ticks.map(steps), grid: { show: false }, size: 32 },
        { ...axis, values: (u, ticks) => ticks.map((tick) => told(tick, chart.unit)), size: 58 },
      ],
      hooks: { setCursor: [(u) => read(u, chart)] },
    };
  };

  const read = (u, chart) => {
    const out = u.root.parentNode && u.root.parentNode.querySelector(".readout");
    if (!out) return;
    const at = u.cursor.idx;
    if (at === null || at === undefined) { out.textContent = ""; return; }
    const x = u.data[0][at], parts = [];
    for (const line of chart.lines) {
      if (hidden.has(line.color)) continue;
      let near = -1, gap = Infinity;
      line.x.forEach((value, index) => { const d = Math.abs(value - x); if (d < gap) { gap = d; near = index; } });
      let text = told(line.y[near], chart.unit);
      if (line.low.length) text += " (" + told(line.low[near], chart.unit) + " to " + told(line.high[near], chart.unit) + ")";
      parts.push(chart.lines.length > 1 ? line.label + " " + text : text);
    }
    out.textContent = "step " + Math.round(x).toLocaleString("en") + ": " + parts.join("; ");
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

  const draw = () => {
    for (const plot of plots.splice(0)) plot.u.destroy();
    document.querySelectorAll("figure[data-chart]").forEach((box) => {
      const chart = charts.find((one) => one.id === box.dataset.chart), place = box.querySelector(".plot");
      if (!chart || !place) return;
      place.querySelectorAll(".readout").forEach((old) => old.remove());
      place.classList.add("drawn");
      const u = new uPlot(options(chart, place.clientWidth), tables(chart), place);
      const out = document.createElement("div");
      out.className = "readout";
      out.setAttribute("aria-live", "polite");
      place.append(out);
      u.over.tabIndex = 0;
      u.over.setAttribute("role", "group");
      u.over.setAttribute("aria-label", place.querySelector("svg.chart").getAttribute("aria-label") + ". Arrow keys read the values.");
      u.over.addEventListener("keydown", (event) => keys(event, u));
      plots.push({ u, place });
    });
  };

  document.querySelectorAll(".legend .entry[data-color]").forEach((entry) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "entry";
    button.dataset.color = entry.dataset.color;
    button.title = "Show or hide in all charts";
    button.setAttribute("aria-pressed", "true");
    button.append(...entry.childNodes);
    entry.replaceWith(button);
    button.addEventListener("click", () => {
      const own = Number(button.dataset.color);
      if (!hidden.delete(own)) hidden.add(own);
      document.querySelectorAll('.legend button[data-color="' + own + '"]').forEach((one) => one.setAttribute("aria-pressed", String(!hidden.has(own))));
      draw();
    });
  });

  draw();
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    for (const { u, place } of plots) u.setSize({ width: place.clientWidth, height: Math.round(Math.max(190, Math.min(280, place.clientWidth * 0.42))) });
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
