package io.pq32.benchmarks;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.font.FontRenderContext;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.DoubleSummaryStatistics;
import java.util.Locale;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** What do all figures look like? */
final class FigureStyle {
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

  private FigureStyle() {}

  static Color color(Contender contender) {
    return Look.of(contender).color();
  }

  /** An empty chart. */
  static XYChart chart(String title, String xAxis, String yAxis) {
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .theme(Styler.ChartTheme.XChart)
            .title(title)
            .xAxisTitle(xAxis)
            .yAxisTitle(yAxis)
            .build();
    Font font = new Font(Font.SANS_SERIF, Font.PLAIN, 13);
    XYStyler style = chart.getStyler();
    style.setLocale(Locale.ROOT);
    style.setChartBackgroundColor(Color.WHITE);
    style.setChartTitleFont(fitting(font.deriveFont(Font.BOLD, 15f), title));
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
    style.setYAxisLabelAlignment(AxesChartStyler.TextAlignment.Right);
    style.setPlotGridLinesColor(new Color(0xDDDDDD));
    return chart;
  }

  /** Adds a line of a format. */
  static XYSeries addLine(
      XYChart chart, String name, Contender contender, double[] xs, double[] ys) {
    XYSeries line = chart.addSeries(name, xs, ys);
    Look look = Look.of(contender);
    line.setLineColor(look.color());
    line.setLineStyle(new BasicStroke(2));
    line.setMarker(look.marker());
    line.setMarkerColor(look.color());
    return line;
  }

  /** Makes the y axis logarithmic, from labeled step to labeled step. */
  static void logarithmicY(XYStyler style, DoubleSummaryStatistics values) {
    style.setYAxisLogarithmic(true);
    style.setYAxisLogarithmicDecadeOnly(false);
    style.setYAxisMin(stepBelow(values.getMin()));
    style.setYAxisMax(stepAbove(values.getMax()));
    style.setYAxisTickLabelsFormattingFunction(FigureStyle::tick);
  }

  /** Makes the x axis logarithmic, from labeled step to labeled step. */
  static void logarithmicX(XYStyler style, DoubleSummaryStatistics values) {
    style.setXAxisLogarithmic(true);
    style.setXAxisLogarithmicDecadeOnly(false);
    style.setXAxisMin(stepBelow(values.getMin()));
    style.setXAxisMax(stepAbove(values.getMax()));
    style.setXAxisTickLabelsFormattingFunction(FigureStyle::tick);
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
  private static String tick(double value) {
    long digit = Math.round(value / decade(value));
    return digit == 1 || digit == 2 || digit == 5 || digit == 10
        ? new DecimalFormat("#,##0.#####", DecimalFormatSymbols.getInstance(Locale.ROOT))
            .format(value)
        : "";
  }
}
