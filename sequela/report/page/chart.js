// One figure: its table drawn as a chart of the kind that data-chart names.
import { BarChart, CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, MarkLineComponent, TooltipComponent } from 'echarts/components';
import * as echarts from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { readSeries, readTable } from './data.js';
import { bars } from './kinds/bars.js';
import { intervals } from './kinds/intervals.js';
import { lines } from './kinds/lines.js';
import { points } from './kinds/points.js';
import { makeLegend } from './legend.js';
import { colours } from './theme.js';

echarts.use([
  BarChart,
  CustomChart,
  LineChart,
  ScatterChart,
  GridComponent,
  MarkLineComponent,
  TooltipComponent,
  SVGRenderer,
]);

const KINDS = { bars, intervals, lines, points };
const DASHES = ['solid', 'dashed', 'dotted'];
const PRINT_WIDTH = 640;

export class Chart {
  constructor(figure) {
    this.figure = figure;
    this.spec = JSON.parse(figure.dataset.chart);
    this.host = figure.querySelector('.plot');
    this.hidden = new Set();
  }

  draw() {
    this.series = readSeries(readTable(this.figure.querySelector('table')), this.spec);
    this.host.hidden = false;
    this.redraw(true);
    new ResizeObserver(() => this.instance.resize()).observe(this.host);
  }

  redraw(isFirst = false) {
    if (!this.series) return;
    const look = this.look(colours());
    if (this.series.length > 1) this.showLegend(look);
    const shown = this.series
      .map((one, i) => ({ ...one, ...look(i) }))
      .filter((one) => !this.hidden.has(one.name));
    const width = this.host.clientWidth;
    const { height, ...option } = KINDS[this.spec.kind](shown, this.spec, { ...colours(), width });
    this.host.style.height = `${height}px`;
    this.instance ??= echarts.init(this.host, null, { renderer: 'svg' });
    if (!isFirst) this.instance.resize();
    this.instance.setOption({ animation: false, ...option }, { notMerge: true });
    this.describe();
  }

  // The colour repeats after eight series, but not together with the dash.
  look({ series }) {
    return (i) => ({
      colour: series[i % series.length],
      dash: DASHES[(Math.floor(i / series.length) + i) % DASHES.length],
    });
  }

  showLegend(look) {
    const names = this.series.map((one) => one.name);
    const toggle = (name) => {
      if (!this.hidden.delete(name)) this.hidden.add(name);
      this.redraw();
      this.figure.querySelectorAll('.legend button')[names.indexOf(name)].focus();
    };
    const isShown = (name) => !this.hidden.has(name);
    const legend = makeLegend(names, isShown, look, this.spec.kind === 'lines', toggle);
    this.figure.querySelector('.legend')?.remove();
    this.host.before(legend);
  }

  // To a screen reader the drawing is one image; its numbers are in the table.
  describe() {
    const svg = this.host.querySelector('svg');
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', `${this.figure.dataset.title}. The table below has the numbers.`);
  }

  print() {
    if (this.series) this.redraw();
    else this.draw();
    this.instance.resize({ width: PRINT_WIDTH });
  }
}
