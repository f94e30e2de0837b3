// The page's behaviour: figures, theme, downloads, print. Everything on the page is readable without it: a figure's data
// stand in its table, which is where the chart takes them from.
import { Chart } from './chart.js';
import { downloadTable } from './csv.js';
import { followTheme, forceLight } from './theme.js';

const charts = [...document.querySelectorAll('figure[data-chart]')].map((figure) => new Chart(figure));

// A figure is drawn when it comes near the window, so that a page of many opens at once.
const watcher = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      watcher.unobserve(entry.target);
      charts.find((chart) => chart.figure === entry.target).draw();
    }
  },
  { rootMargin: '300px' },
);
for (const chart of charts) watcher.observe(chart.figure);

followTheme(document.getElementById('theme'), () => charts.forEach((chart) => chart.redraw()));

for (const button of document.querySelectorAll('button.csv')) {
  button.hidden = false;
  button.addEventListener('click', () => downloadTable(button.closest('figure')));
}

// Paper is light, and has all figures, as wide as its text.
let endLight = null;
window.addEventListener('beforeprint', () => {
  endLight ??= forceLight();
  for (const chart of charts) chart.print();
});
window.addEventListener('afterprint', () => {
  endLight?.();
  endLight = null;
  for (const chart of charts) chart.redraw();
});
