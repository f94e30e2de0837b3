// A figure's table as the chart needs it.

// A number, or null where the cell is empty or says that there is none.
function number(text) {
  return text === '' || Number.isNaN(Number(text)) ? null : Number(text);
}

// The rows as arrays of texts.
export function readTable(table) {
  return [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent));
}

// The rows by series, in the order in which the series first come: [{name, rows: [{x, y, low, high, category}]}].
// `spec` names the column of each of them by its index; x and y that are texts stay texts.
export function readSeries(rows, spec) {
  const series = new Map();
  const value = (row, key) => (spec[key] === undefined ? null : number(row[spec[key]]));
  const place = (row, key) => (spec[`${key}_scale`] === 'category' ? row[spec[key]] : value(row, key));
  for (const row of rows) {
    const name = spec.series === undefined ? '' : row[spec.series];
    if (!series.has(name)) series.set(name, { name, rows: [] });
    series.get(name).rows.push({
      x: spec.x_scale === 'time' ? Date.parse(row[spec.x]) : place(row, 'x'),
      y: place(row, 'y'),
      low: value(row, 'low'),
      high: value(row, 'high'),
      category: spec.category === undefined ? '' : row[spec.category],
      label: spec.label === undefined ? undefined : row[spec.label],
    });
  }
  return [...series.values()];
}
