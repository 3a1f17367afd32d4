// The kinds of panel that dashboards consist of. A panel is a title, a description, and named queries. Panels stand in the
// order in which they are added. Ids and refIds are counted here, so that the JSON is the same at every generation.
import * as bargauge from '@grafana/grafana-foundation-sdk/bargauge';
import {
  BarGaugeDisplayMode,
  type DataSourceRef,
  GraphGradientMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TableCellDisplayMode,
  TableSortByFieldStateBuilder,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type DashboardBuilder,
  type DynamicConfigValue,
  FieldColorBuilder,
  FieldColorModeId,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import * as piechart from '@grafana/grafana-foundation-sdk/piechart';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as table from '@grafana/grafana-foundation-sdk/table';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import { linksOf } from './links.ts';

export const datasource: DataSourceRef = { type: 'prometheus', uid: `\${datasource}` };

/** Names of units in Grafana; bytes are IEC (1024). */
export type Unit = 'bytes' | 'binBps' | 'percent' | 'percentunit' | 's' | 'short' | 'cps' | 'dateTimeFromNow';

interface Panel {
  readonly title: string;
  /** What the panel shows and what it does not: its description in Grafana. */
  readonly help: string;
  readonly unit: Unit;
  /** In columns; a row has 24. */
  readonly width: number;
  /** The colour is orange from the first value on, and red from the second on. */
  readonly warn?: readonly [number, number];
}

/** Expression by legend; {{label}} in a legend stands for the label's value. */
type Queries = Readonly<Record<string, string>>;

/** Columns of a table by heading: a label, or the value of an expression. */
interface Columns {
  readonly labels: Readonly<Record<string, string>>;
  /** Each may have a unit other than the panel's. */
  readonly values: Readonly<Record<string, { readonly query: string; readonly unit?: Unit }>>;
  /** Heading of the value that orders the rows; it is drawn as a bar. */
  readonly by: string;
}

const HEIGHT = 9;
const refId = (index: number): string => String.fromCharCode(65 + index);

/** Adds panels to a dashboard, one after the other. */
export class Board {
  readonly #dashboard: DashboardBuilder;
  #id = 0;

  constructor(dashboard: DashboardBuilder) {
    this.#dashboard = dashboard;
  }

  row(title: string): this {
    this.#dashboard.withRow(new RowBuilder(title).id(++this.#id));
    return this;
  }

  /** One number for each query. */
  number(panel: Panel, queries: Queries): this {
    const made = this.#begin(new stat.PanelBuilder(), panel, 4).reduceOptions(last());
    for (const target of instant(queries)) made.withTarget(target);
    if (panel.warn) made.thresholds(thresholds(panel.warn));
    this.#dashboard.withPanel(made);
    return this;
  }

  /** Values over time. Stack the lines only if their sum has a meaning. */
  lines(panel: Panel & { readonly stacked?: boolean }, queries: Queries): this {
    const legend = new VizLegendOptionsBuilder().showLegend(true).calcs(['lastNotNull', 'max']);
    const made = this.#begin(new timeseries.PanelBuilder(), panel, HEIGHT)
      .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassicByName))
      .legend(
        legend.displayMode(LegendDisplayMode.Table).placement(LegendPlacement.Right).sortBy('Last *').sortDesc(true),
      )
      .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
      .showPoints(VisibilityMode.Never)
      .gradientMode(GraphGradientMode.None)
      .fillOpacity(panel.stacked ? 40 : 5)
      .stacking(new StackingConfigBuilder().group('A').mode(panel.stacked ? StackingMode.Normal : StackingMode.None));
    for (const [index, [legend, expression]] of Object.entries(queries).entries()) {
      made.withTarget(query(expression).range().legendFormat(legend).refId(refId(index)));
    }
    this.#dashboard.withPanel(made);
    return this;
  }

  pie(panel: Panel, queries: Queries): this {
    const legend = new piechart.PieChartLegendOptionsBuilder().showLegend(true).displayMode(LegendDisplayMode.Table);
    const made = this.#begin(new piechart.PanelBuilder(), panel, HEIGHT)
      .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassicByName))
      .pieType(piechart.PieChartType.Pie)
      .legend(
        legend
          .placement(LegendPlacement.Right)
          .values([piechart.PieChartLegendValues.Value, piechart.PieChartLegendValues.Percent]),
      )
      .reduceOptions(last());
    for (const target of instant(queries)) made.withTarget(target);
    this.#dashboard.withPanel(made);
    return this;
  }

  bars(panel: Panel, queries: Queries): this {
    const made = this.#begin(new bargauge.PanelBuilder(), panel, HEIGHT)
      .orientation(VizOrientation.Horizontal)
      .displayMode(BarGaugeDisplayMode.Gradient)
      .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.ContinuousGrYlRd))
      .reduceOptions(last());
    for (const target of instant(queries)) made.withTarget(target);
    this.#dashboard.withPanel(made);
    return this;
  }

  /** One row for each combination of the labels. Values are summed by these labels; each has a column of its own. */
  table(panel: Panel, { labels, values, by }: Columns): this {
    const entries = Object.entries(values);
    const headings: Record<string, string> = { ...labels };
    const made = this.#begin(new table.PanelBuilder(), panel, HEIGHT);
    for (const [index, [heading, { query: expression }]] of entries.entries()) {
      headings[entries.length === 1 ? 'Value' : `Value #${refId(index)}`] = heading;
      const rows = `sum by (${Object.keys(labels).join(', ')}) (${expression})`;
      made.withTarget(query(rows).instant().format(PromQueryFormat.Table).refId(refId(index)));
    }
    if (entries.length > 1) made.withTransformation({ id: 'merge', options: {} });
    const order = Object.fromEntries(Object.keys(headings).map((name, index) => [name, index]));
    const shown = { excludeByName: { Time: true }, indexByName: order, renameByName: headings };
    made
      .withTransformation({ id: 'organize', options: shown })
      .sortBy([new TableSortByFieldStateBuilder().displayName(by).desc(true)]);
    for (const [label, heading] of Object.entries(labels)) {
      const links = linksOf(label, labels);
      if (links.length > 0) made.overrideByName(heading, [{ id: 'links', value: links }]);
    }
    for (const [heading, { unit }] of entries) {
      const properties: DynamicConfigValue[] = [];
      if (unit) properties.push({ id: 'unit', value: unit });
      if (heading === by) {
        properties.push({ id: 'custom.cellOptions', value: { type: TableCellDisplayMode.Gauge, mode: 'gradient' } });
        properties.push({ id: 'color', value: { mode: FieldColorModeId.ContinuousGrYlRd } });
      }
      if (properties.length > 0) made.overrideByName(heading, properties);
    }
    this.#dashboard.withPanel(made);
    return this;
  }

  #begin<
    P extends
      | stat.PanelBuilder
      | timeseries.PanelBuilder
      | piechart.PanelBuilder
      | bargauge.PanelBuilder
      | table.PanelBuilder,
  >(made: P, { title, help, unit, width }: Panel, height: number): P {
    made
      .id(++this.#id)
      .title(title)
      .description(help)
      .datasource(datasource)
      .unit(unit)
      .span(width)
      .height(height);
    return made;
  }
}

const query = (expression: string): DataqueryBuilder => new DataqueryBuilder().datasource(datasource).expr(expression);

function instant(queries: Queries): DataqueryBuilder[] {
  return Object.entries(queries).map(([legend, expression], index) =>
    query(expression).instant().legendFormat(legend).refId(refId(index)),
  );
}

const last = (): ReduceDataOptionsBuilder =>
  new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false).fields('');

function thresholds([warning, critical]: readonly [number, number]): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([
    { value: null, color: 'green' },
    { value: warning, color: 'orange' },
    { value: critical, color: 'red' },
  ]);
}
