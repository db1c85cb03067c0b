package io.pq32.benchmarks;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.font.FontRenderContext;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * A picture of what a run found: recall against speed, a line per format through the fan-outs that
 * no other beats in both.
 *
 * @param threads searching at the same time
 * @param searches of all formats, one per fan-out
 */
record RecallFigure(
    String cpu, RecallReport.DatasetLine dataset, int threads, List<RecallReport.Search> searches) {

  private static final int WIDTH = 960;
  private static final int HEIGHT = 560;

  /** What a title may take, being centered over the plot, which is not the middle of the figure. */
  private static final int TITLE_WIDTH = 800;

  /** What one format looks like in every figure, whichever others are in it. */
  private record Look(Color color, Marker marker) {
    /** The colors of Okabe and Ito, which the color-blind can tell apart. */
    static Look of(Contender contender) {
      return switch (contender) {
        case PQ32 -> new Look(new Color(0xD55E00), SeriesMarkers.CIRCLE);
        case PQ32_GRAPH -> new Look(new Color(0xE69F00), SeriesMarkers.PLUS);
        case PQ32_SCAN -> new Look(new Color(0xCC79A7), SeriesMarkers.CROSS);
        case FLOAT -> new Look(Color.BLACK, SeriesMarkers.SQUARE);
        case INT8 -> new Look(new Color(0x0072B2), SeriesMarkers.DIAMOND);
        case INT4 -> new Look(new Color(0x56B4E9), SeriesMarkers.TRIANGLE_UP);
        case ONE_BIT -> new Look(new Color(0x009E73), SeriesMarkers.TRIANGLE_DOWN);
        case JVECTOR -> new Look(new Color(0x999999), SeriesMarkers.RECTANGLE);
      };
    }
  }

  String title() {
    return String.format(
        Locale.ROOT,
        "%s: %,d vectors of %,d dimensions, %s; %s",
        dataset.name(),
        dataset.vectors(),
        dataset.dimension(),
        dataset.metric(),
        cpu);
  }

  /** What the lines show, in words. */
  String description() {
    StringBuilder text = new StringBuilder(recallLabel() + " at " + speedLabel() + ".");
    Curve.byFormat(searches)
        .forEach(
            (format, curve) ->
                text.append(
                    curve.points().stream()
                        .map(RecallFigure::describe)
                        .collect(Collectors.joining(", ", " " + format + ": ", "."))));
    return text.toString();
  }

  private static String describe(Curve.Point point) {
    return String.format(Locale.ROOT, "%.4f at %,.0f", point.recall(), point.queriesPerSecond());
  }

  XYChart chart() {
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .theme(Styler.ChartTheme.XChart)
            .title(title())
            .xAxisTitle(recallLabel())
            .yAxisTitle(speedLabel())
            .build();
    Map<String, Curve> curves = Curve.byFormat(searches);
    style(chart.getStyler(), curves);
    curves.forEach((format, curve) -> addLine(chart, format, curve.points()));
    return chart;
  }

  private String recallLabel() {
    return "recall@" + dataset.k();
  }

  private String speedLabel() {
    return "queries per second, " + (threads == 1 ? "one thread" : threads + " threads");
  }

  private static void addLine(XYChart chart, String format, List<Curve.Point> points) {
    XYSeries line =
        chart.addSeries(
            format,
            points.stream().mapToDouble(Curve.Point::recall).toArray(),
            points.stream().mapToDouble(Curve.Point::queriesPerSecond).toArray());
    Look look = Look.of(Contender.named(format));
    line.setLineColor(look.color());
    line.setLineStyle(new BasicStroke(2));
    line.setMarker(look.marker());
    line.setMarkerColor(look.color());
  }

  private void style(XYStyler style, Map<String, Curve> curves) {
    Font font = new Font(Font.SANS_SERIF, Font.PLAIN, 13);
    style.setLocale(Locale.ROOT);
    style.setChartBackgroundColor(Color.WHITE);
    style.setChartTitleFont(fitting(font.deriveFont(Font.BOLD, 15f), title()));
    style.setChartTitlePadding(10);
    style.setChartPadding(14);
    style.setLegendPosition(Styler.LegendPosition.OutsideS);
    style.setLegendLayout(Styler.LegendLayout.Horizontal);
    style.setLegendFont(font);
    style.setLegendBorderColor(Color.WHITE);
    style.setMarkerSize(8);
    style.setAxisTitleFont(font);
    style.setAxisTickLabelsFont(font);
    style.setAxisTickPadding(6);
    style.setXAxisDecimalPattern("0.00##");
    style.setYAxisLabelAlignment(AxesChartStyler.TextAlignment.Right);
    style.setPlotGridLinesColor(new Color(0xDDDDDD));
    style.setYAxisLogarithmic(true);
    style.setYAxisLogarithmicDecadeOnly(false);
    DoubleSummaryStatistics speeds =
        curves.values().stream()
            .flatMap(curve -> curve.points().stream())
            .collect(Collectors.summarizingDouble(Curve.Point::queriesPerSecond));
    style.setYAxisMin(stepBelow(speeds.getMin()));
    style.setYAxisMax(stepAbove(speeds.getMax()));
    style.setYAxisTickLabelsFormattingFunction(RecallFigure::speedTick);
  }

  static Color color(Contender contender) {
    return Look.of(contender).color();
  }

  /** The font, smaller if the title would not fit: names of data sets have any length. */
  private static Font fitting(Font font, String title) {
    double width = font.getStringBounds(title, new FontRenderContext(null, true, true)).getWidth();
    return font.deriveFont((float) (font.getSize2D() * Math.min(1, TITLE_WIDTH / width)));
  }

  /** The largest of 1, 2 and 5 times a power of ten that is not above the value. */
  static double stepBelow(double value) {
    double decade = decade(value);
    double digit = value / decade;
    return decade * (digit < 2 ? 1 : digit < 5 ? 2 : 5);
  }

  /** The smallest of 1, 2 and 5 times a power of ten that is above the value. */
  static double stepAbove(double value) {
    double decade = decade(value);
    double digit = value / decade;
    return decade * (digit < 2 ? 2 : digit < 5 ? 5 : 10);
  }

  private static double decade(double value) {
    return Math.pow(10, Math.floor(Math.log10(value)));
  }

  /** XChart marks every digit of a decade; the names of all would run into each other. */
  private static String speedTick(double value) {
    long digit = Math.round(value / decade(value));
    return digit == 1 || digit == 2 || digit == 5 || digit == 10
        ? new DecimalFormat("#,##0.#####", DecimalFormatSymbols.getInstance(Locale.ROOT))
            .format(value)
        : "";
  }
}
