// What the kinds of charts share.

const SIGNIFICANT = 4;
const SIGNIFICANT_ON_AXIS = 6; // of an end that is no whole step, as a sum of fractions may be

export function numberText(value) {
  if (typeof value !== 'number') return value ?? '';
  return value.toLocaleString('en', { maximumSignificantDigits: SIGNIFICANT });
}

function tickText(value) {
  return value.toLocaleString('en', { maximumSignificantDigits: SIGNIFICANT_ON_AXIS });
}

// An axis in the page's colours. `scale` is linear, log, time or category.
export function axis(theme, name, scale = 'linear', range = undefined) {
  return {
    type: { linear: 'value', log: 'log', time: 'time', category: 'category' }[scale],
    name,
    min: range?.[0],
    max: range?.[1],
    nameTextStyle: { color: theme.muted, fontSize: 12 },
    axisLabel: { color: theme.muted, hideOverlap: true, formatter: scale === 'linear' ? tickText : undefined },
    axisLine: { lineStyle: { color: theme.line } },
    splitLine: { lineStyle: { color: theme.line, opacity: 0.5 } },
    scale: range === undefined,
  };
}

export function xAxis(theme, name, scale, range) {
  return { ...axis(theme, name, scale, range), nameLocation: 'middle', nameGap: 28 };
}

// Its name stands above it, where it takes no width.
export function yAxis(theme, name, scale, range) {
  const base = axis(theme, name, scale, range);
  return { ...base, nameLocation: 'end', nameTextStyle: { ...base.nameTextStyle, align: 'left' }, nameGap: 12 };
}

// Categories from top to bottom; long names end in dots, the table has them whole.
export function categoryAxis(theme, categories) {
  const base = axis(theme, '', 'category');
  const width = Math.min(240, 0.42 * theme.width);
  return {
    ...base,
    data: categories,
    inverse: true,
    axisTick: { show: false },
    axisLabel: { color: theme.text, width, overflow: 'truncate', interval: 0 },
  };
}

export function tooltip(theme, trigger) {
  return {
    trigger,
    confine: true,
    backgroundColor: theme.panel,
    borderColor: theme.line,
    textStyle: { color: theme.text, fontSize: 12 },
    valueFormatter: (value) => (Array.isArray(value) ? value.map(numberText).join(', ') : numberText(value)),
  };
}

export const GRID = { left: 8, right: 20, top: 30, bottom: 8, outerBoundsMode: 'same' };

export function distinct(values) {
  return [...new Set(values)];
}
