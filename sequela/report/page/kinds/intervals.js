// A forest: by category and series a point with its interval.
import { categoryAxis, distinct, GRID, numberText, tooltip, xAxis } from './axes.js';

function interval(one, place, count, categories) {
  const data = one.rows.map((row) => [row.x, categories.indexOf(row.category), row.low ?? row.x, row.high ?? row.x]);
  return {
    type: 'custom',
    name: one.name,
    color: one.colour,
    data: data.filter((row) => row[0] !== null),
    encode: { x: [0, 2, 3], y: 1 },
    renderItem: (params, api) => {
      const band = api.size([0, 1])[1];
      const offset = ((place + 0.5) / count - 0.5) * 0.8 * band;
      const [low, high, value] = [2, 3, 0].map((i) => api.coord([api.value(i), api.value(1)])[0]);
      const y = api.coord([0, api.value(1)])[1] + offset;
      const style = { stroke: one.colour, lineWidth: 2 };
      return {
        type: 'group',
        children: [
          { type: 'line', shape: { x1: low, x2: high, y1: y, y2: y }, style },
          { type: 'rect', shape: { x: value - 4, y: y - 4, width: 8, height: 8 }, style: { fill: one.colour } },
        ],
      };
    },
    tooltip: {
      valueFormatter: ([value, , low, high]) => `${numberText(value)} (${numberText(low)} to ${numberText(high)})`,
    },
  };
}

export function intervals(series, spec, theme) {
  const categories = distinct(series.flatMap((one) => one.rows.map((row) => row.category)));
  const drawn = series.map((one, i) => interval(one, i, series.length, categories));
  if (spec.level !== undefined && drawn.length > 0) {
    drawn[0].markLine = {
      silent: true,
      symbol: 'none',
      label: { show: false },
      lineStyle: { color: theme.muted, type: 'dotted', width: 1 },
      data: [{ xAxis: spec.level }],
    };
  }
  return {
    height: 76 + categories.length * (10 + 14 * Math.max(1, series.length)),
    grid: GRID,
    tooltip: tooltip(theme, 'item'),
    xAxis: xAxis(theme, spec.x_name, spec.x_scale, spec.x_range),
    yAxis: categoryAxis(theme, categories),
    series: drawn,
  };
}
