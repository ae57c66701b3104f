// Draws the charts of a dashboard with ECharts: <div data-chart="id"> has its numbers in <script id type=application/json>.
(function () {
  "use strict";
  const root = document.documentElement;
  const language = root.lang || "en";
  const isCalm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const charts = [];

  const whole = new Intl.NumberFormat(language);
  const short = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
  const share = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });

  function dollars(value) {
    if (value === 0) return "$0";
    const digits = Math.abs(value) >= 0.01 ? { maximumFractionDigits: 2 } : { maximumSignificantDigits: 2 };
    return "$" + new Intl.NumberFormat(language, digits).format(value);
  }

  function duration(ns) {
    for (const [size, unit] of [[60e9, "min"], [1e9, "s"], [1e6, "ms"], [1e3, "µs"]]) {
      if (ns >= size) return `${+(ns / size).toPrecision(3)} ${unit}`;
    }
    return ns ? `${ns} ns` : "0";
  }

  const SHOWN = { count: (value) => whole.format(value), dollars, duration, share: (value) => share.format(value), rate: (value) => share.format(value) };
  const ON_AXIS = { ...SHOWN, count: (value) => short.format(value) };

  // The colours of the page, so that a chart is as light or dark as what is around it.
  function colours() {
    // A canvas knows no custom properties and no color-mix(): an element works them out.
    const probe = document.createElement("span");
    document.body.append(probe);
    const of = (name) => {
      probe.style.color = `var(--tblr-${name})`;
      return getComputedStyle(probe).color;
    };
    const found = all(of);
    probe.remove();
    return found;
  }

  function all(of) {
    return {
      text: of("secondary"),
      strong: of("body-color"),
      line: of("border-color"),
      surface: of("bg-surface"),
      bad: of("red"),
      warn: of("orange"),
      good: of("green"),
      series: ["primary", "azure", "teal", "yellow", "orange", "purple", "pink", "lime", "cyan", "indigo"].map(of),
      muted: of("secondary"),
    };
  }

  function option(spec) {
    const colour = colours();
    const shown = SHOWN[spec.unit];
    const isBars = spec.kind === "bars";
    const isHigh = () => spec.lines.some((line) => line.values.some((value) => value > 0.75));
    const isWhole = spec.unit === "share" || (spec.unit === "rate" && isHigh()); // the axis goes to 100 %
    const series = spec.lines.map((line) => {
      const own = colour[line.tone] || colour.series[line.place % colour.series.length];
      return {
        name: line.name,
        type: isBars ? "bar" : "line",
        stack: isBars ? "all" : undefined,
        data: line.values,
        color: own,
        barMaxWidth: 48,
        showSymbol: spec.labels.length < 3 || line.values.filter((value) => value !== null).length < 3,
        symbolSize: 5,
        lineStyle: { width: 2 },
        connectNulls: false,
        emphasis: { focus: "series" },
      };
    });
    return {
      animation: !isCalm,
      animationDuration: 250,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: colour.text },
      grid: { left: 8, right: 12, top: spec.lines.length > 1 ? 40 : 16, bottom: 4, containLabel: true },
      legend: {
        show: spec.lines.length > 1,
        type: "scroll",
        top: 0,
        left: 0,
        itemWidth: 10,
        itemHeight: 10,
        icon: "roundRect",
        textStyle: { color: colour.text, width: 180, overflow: "truncate" },
        pageIconColor: colour.strong,
        pageIconInactiveColor: colour.line,
        pageTextStyle: { color: colour.text },
      },
      tooltip: {
        trigger: "axis",
        renderMode: "richText", // as HTML it would carry inline styles, which no page may have
        confine: true,
        backgroundColor: colour.surface,
        borderColor: colour.line,
        textStyle: { color: colour.strong, fontSize: 12 },
        order: isBars ? "seriesDesc" : "seriesAsc",
        axisPointer: { type: isBars ? "shadow" : "line" },
        valueFormatter: (value) => (value === null || value === undefined ? "–" : shown(value)),
      },
      xAxis: {
        type: "category",
        data: spec.labels,
        boundaryGap: isBars,
        axisLine: { lineStyle: { color: colour.line } },
        axisTick: { show: false },
        axisLabel: { color: colour.text, hideOverlap: true, alignMaxLabel: isBars && spec.labels[0].length < 11 ? undefined : "right", formatter: (label) => label.slice(5) },
      },
      yAxis: {
        type: "value",
        min: 0,
        max: isWhole ? 1 : undefined,
        interval: isWhole ? 0.25 : undefined,
        minInterval: spec.unit === "count" ? 1 : undefined,
        splitNumber: 4,
        splitLine: { lineStyle: { color: colour.line } },
        axisLabel: { color: colour.text, formatter: ON_AXIS[spec.unit] },
      },
      series,
    };
  }

  function draw(element) {
    const spec = JSON.parse(document.getElementById(element.dataset.chart).textContent);
    const chart = echarts.init(element, null, { renderer: "canvas" });
    chart.setOption(option(spec));
    charts.push({ chart, spec });
    new ResizeObserver(() => chart.resize()).observe(element);
  }

  document.querySelectorAll("[data-chart]").forEach(draw);
  // Whoever puts a part with charts into the page says so.
  document.addEventListener("charts:inserted", (event) => event.target.querySelectorAll("[data-chart]").forEach(draw));
  new MutationObserver(() => {
    for (const { chart, spec } of charts) chart.setOption(option(spec), true);
  }).observe(root, { attributes: true, attributeFilter: ["data-bs-theme"] });
})();
