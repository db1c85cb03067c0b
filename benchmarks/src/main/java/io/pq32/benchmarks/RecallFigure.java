package io.pq32.benchmarks;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.knowm.xchart.XYChart;

/**
 * A picture of what a run found: recall against speed, a line per format through the settings that
 * no other beats in both.
 *
 * @param threads searching at the same time
 * @param searches of all formats, one per setting
 */
record RecallFigure(
    String cpu, RecallReport.DatasetLine dataset, int threads, List<RecallReport.Search> searches)
    implements Figure {

  @Override
  public String suffix() {
    return "";
  }

  @Override
  public String title() {
    return dataset.description() + "; " + cpu;
  }

  @Override
  public String description() {
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

  @Override
  public XYChart chart() {
    XYChart chart = FigureStyle.chart(title(), recallLabel(), speedLabel());
    Map<String, Curve> curves = Curve.byFormat(searches);
    chart.getStyler().setXAxisDecimalPattern("0.00##");
    FigureStyle.logarithmicY(
        chart.getStyler(),
        curves.values().stream()
            .flatMap(curve -> curve.points().stream())
            .collect(Collectors.summarizingDouble(Curve.Point::queriesPerSecond)));
    curves.forEach(
        (format, curve) ->
            FigureStyle.addLine(
                chart,
                format,
                Contender.named(format),
                curve.points().stream().mapToDouble(Curve.Point::recall).toArray(),
                curve.points().stream().mapToDouble(Curve.Point::queriesPerSecond).toArray()));
    return chart;
  }

  private String recallLabel() {
    return "recall@" + dataset.k();
  }

  private String speedLabel() {
    return Figure.speedLabel(threads);
  }
}
