// Lines with bands: x, y, low, high by series.
import { GRID, tooltip, xAxis, yAxis } from './axes.js';

const FEW = 40; // points of a line that are marked one by one

function band(one) {
  const rows = one.rows.filter((row) => row.low !== null && row.high !== null && row.x !== null);
  return {
    type: 'custom',
    name: one.name,
    silent: true,
    tooltip: { show: false },
    data: rows.map((row) => [row.x, row.low, row.high]),
    encode: { x: 0, y: [1, 2] },
    clip: true,
    renderItem: (params, api) => {
      if (params.dataIndex > 0) return null;
      const upper = rows.map((row) => api.coord([row.x, row.high]));
      const lower = rows.map((row) => api.coord([row.x, row.low])).reverse();
      return { type: 'polygon', shape: { points: [...upper, ...lower] }, style: { fill: one.colour, opacity: 0.15 } };
    },
  };
}

function dotted(theme) {
  return { color: theme.muted, type: 'dotted', width: 1 };
}

function level(spec, theme) {
  if (spec.level === undefined) return undefined;
  return { silent: true, symbol: 'none', label: { show: false }, lineStyle: dotted(theme), data: [{ yAxis: spec.level }] };
}

// The line of equal x and y, as far as the axes go.
function diagonal(spec, theme) {
  if (!spec.diagonal) return [];
  const style = { showSymbol: false, lineStyle: dotted(theme), silent: true, tooltip: { show: false } };
  return [{ type: 'line', name: '', data: [[0, 0], [1, 1]], clip: true, ...style }];
}

export function lines(series, spec, theme) {
  const drawn = series.map((one, i) => ({
    type: 'line',
    name: one.name,
    data: one.rows.map((row) => [row.x, row.y]),
    color: one.colour,
    lineStyle: { width: 2, type: one.dash },
    step: spec.step ? 'end' : undefined,
    showSymbol: one.rows.length <= FEW,
    symbolSize: 5,
    connectNulls: true,
    markLine: i === 0 ? level(spec, theme) : undefined,
  }));
  const hasBand = spec.low !== undefined;
  return {
    height: theme.width < 480 ? 280 : 340,
    grid: GRID,
    tooltip: tooltip(theme, 'axis'),
    xAxis: xAxis(theme, spec.x_name, spec.x_scale, spec.x_range),
    yAxis: yAxis(theme, spec.y_name, spec.y_scale, spec.y_range),
    series: [...(hasBand ? series.map(band) : []), ...drawn, ...diagonal(spec, theme)],
  };
}
