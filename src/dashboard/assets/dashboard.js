// What pages do beyond plain HTML: plots, and learning of changes. Everything else works without it.
"use strict";

// A stream of events that is open only while the page is seen: browsers open few connections to the same host, and nobody
// looks at a hidden page. Where there is no stream, the page asks now and then.
class Changes extends EventTarget {
  constructor(address) {
    super();
    this.address = new URL(address, location.href);
    this.pause = 2000;
    this.follow = () => (document.hidden ? this.leave() : this.enter());
    document.addEventListener("visibilitychange", this.follow);
    this.follow();
  }

  enter() {
    if (this.stream) return;
    this.stream = new EventSource(this.address);
    this.stream.addEventListener("open", () => (this.pause = 2000));
    this.stream.addEventListener("changed", (event) => {
      this.address.searchParams.set("seen", event.lastEventId);
      this.tell();
    });
    this.stream.addEventListener("error", () => {
      // Otherwise the browser itself tries again.
      if (this.stream?.readyState !== EventSource.CLOSED) return;
      this.leave();
      this.tell();
      this.later = setTimeout(this.follow, this.pause);
      this.pause = Math.min(2 * this.pause, 60000);
    });
  }

  leave() {
    clearTimeout(this.later);
    this.stream?.close();
    this.stream = null;
  }

  tell() {
    this.dispatchEvent(new MessageEvent("changed"));
  }

  close() {
    document.removeEventListener("visibilitychange", this.follow);
    this.leave();
  }
}
htmx.createEventSource = (address) => new Changes(address);

// Nobody looks at a hidden page.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden) event.preventDefault();
});

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function options(width) {
  const bars = uPlot.paths.bars({ size: [0.8, 24] });
  const series = (label, name) => ({
    label,
    stroke: colour(name),
    fill: colour(name),
    width: 0,
    paths: bars,
    points: { show: false },
  });
  const hours = (_, ticks) => ticks.map((tick) => new Date(tick * 1000).toISOString().slice(11, 16));
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  return {
    width,
    height: 160,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: true }, y: { range: (_, low, high) => [0, Math.max(high, 1)] } },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
    axes: [{ ...axis, values: hours, size: 28 }, { ...axis, size: 48 }],
    series: [
      {},
      series("under way", "--plot-waiting"),
      series("left out", "--plot-quiet"),
      series("succeeded", "--plot-good"),
      series("parked", "--plot-warn"),
      series("failed", "--plot-bad"),
    ],
  };
}

// Each bar stands on those below it: the sums are drawn from the back to the front. Where there is nothing, there is no bar.
function stacked(hour) {
  const below = hour.minutes.map(() => 0);
  const names = ["failed", "parked", "succeeded", "left_out", "under_way"];
  const sum = (name) => (counts, place) => (counts[name] === 0 ? null : (below[place] += counts[name]));
  const sums = names.map((name) => hour.counts.map(sum(name)));
  return [hour.minutes, ...sums.reverse()];
}

async function draw(element) {
  if (document.hidden) return;
  const answer = await fetch(element.dataset.plot, { headers: { accept: "application/json" } });
  if (!answer.ok) return;
  const data = stacked(await answer.json());
  if (element.plot) {
    element.plot.setData(data);
  } else {
    element.plot = new uPlot(options(element.clientWidth), data, element);
    new ResizeObserver(() => element.plot.setSize({ width: element.clientWidth, height: 160 })).observe(element);
  }
}

for (const element of document.querySelectorAll("[data-plot]")) {
  const again = () => draw(element).catch(() => {});
  again();
  document.addEventListener("htmx:sseMessage", again);
}
