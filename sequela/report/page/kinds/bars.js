// Level bars: a category a line, x its value, by series.
import { categoryAxis, distinct, GRID, tooltip, xAxis } from './axes.js';

export function bars(series, spec, theme) {
  const categories = distinct(series.flatMap((one) => one.rows.map((row) => row.category)));
  const perCategory = spec.stacked ? 1 : Math.max(1, series.length);
  return {
    height: 76 + categories.length * (10 + 16 * perCategory),
    grid: GRID,
    tooltip: { ...tooltip(theme, 'axis'), axisPointer: { type: 'shadow' } },
    xAxis: { ...xAxis(theme, spec.x_name, spec.x_scale, spec.x_range), scale: false },
    yAxis: categoryAxis(theme, categories),
    series: series.map((one) => ({
      type: 'bar',
      name: one.name,
      stack: spec.stacked ? 'all' : undefined,
      color: one.colour,
      barMaxWidth: 18,
      data: categories.map((category) => one.rows.find((row) => row.category === category)?.x ?? null),
    })),
  };
}
