// A cloud of points by series; with y_scale "category" a lane a category.
import { categoryAxis, distinct, GRID, tooltip, xAxis, yAxis } from './axes.js';

export function points(series, spec, theme) {
  const hasLanes = spec.y_scale === 'category';
  const lanes = hasLanes ? distinct(series.flatMap((one) => one.rows.map((row) => row.y))) : [];
  return {
    height: hasLanes ? 76 + 24 * lanes.length : Math.min(460, Math.max(280, 0.75 * theme.width)),
    grid: GRID,
    tooltip: tooltip(theme, 'item'),
    xAxis: xAxis(theme, spec.x_name, spec.x_scale, spec.x_range),
    yAxis: hasLanes ? categoryAxis(theme, lanes) : yAxis(theme, spec.y_name, spec.y_scale, spec.y_range),
    series: series.map((one) => ({
      type: 'scatter',
      name: one.name,
      color: one.colour,
      symbolSize: hasLanes ? 8 : 5,
      itemStyle: { opacity: 0.7 },
      data: one.rows.map((row) => ({ value: [row.x, row.y], name: row.label })),
    })),
  };
}
