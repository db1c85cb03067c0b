package io.pq32.benchmarks;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.lines.SeriesLines;

/**
 * A picture of filtered searches: speed or recall against the share of the vectors that pass. A
 * line per format through the filters that have nothing to do with the vectors, and loose marks for
 * the others.
 *
 * @param threads searching at the same time
 * @param targetRecall at which speeds are read
 * @param searches of all formats, one per filter and setting
 */
record FilterFigure(
    Quantity quantity,
    String cpu,
    RecallReport.DatasetLine dataset,
    int threads,
    double targetRecall,
    List<FilterReport.FilteredSearch> searches)
    implements Figure {

  private static final String X_LABEL =
      "share of the vectors that pass the filter, % (loose marks: filters that correlate with the"
          + " vectors)";

  /** What is drawn. */
  enum Quantity {
    /** Queries per second at the target recall; a format that does not reach it has no mark. */
    SPEED,
    /** Recall at the smallest fan-out, with the tolerance that formats have by themselves. */
    RECALL
  }

  private record Point(double percent, double value) {}

  /** Those of one format and one kind of filter. */
  private record Line(String format, boolean correlated, List<Point> points) {}

  /** A figure of each quantity. */
  static List<Figure> all(
      String cpu,
      RecallReport.DatasetLine dataset,
      int threads,
      double targetRecall,
      List<FilterReport.FilteredSearch> searches) {
    return List.of(
        new FilterFigure(Quantity.SPEED, cpu, dataset, threads, targetRecall, searches),
        new FilterFigure(Quantity.RECALL, cpu, dataset, threads, targetRecall, searches));
  }

  @Override
  public String suffix() {
    return "-" + quantity.name().toLowerCase(Locale.ROOT);
  }

  @Override
  public String title() {
    return dataset.description() + ", filtered; " + cpu;
  }

  @Override
  public String description() {
    return lines().stream()
        .map(
            line ->
                line.points.stream()
                    .map(point -> format(point.value) + " at " + format(point.percent) + " %")
                    .collect(
                        Collectors.joining(
                            ", ", line.format + (line.correlated ? " (correlated): " : ": "), ".")))
        .collect(Collectors.joining(" ", yLabel() + " at " + X_LABEL + ". ", ""));
  }

  private static String format(double value) {
    return String.format(Locale.ROOT, value < 10 ? "%.4f" : "%,.0f", value);
  }

  private String yLabel() {
    return switch (quantity) {
      case SPEED ->
          "%s, at recall@%d %s"
              .formatted(Figure.speedLabel(threads), dataset.k(), Double.toString(targetRecall));
      case RECALL -> "recall@%d at the smallest fan-out".formatted(dataset.k());
    };
  }

  @Override
  public XYChart chart() {
    XYChart chart = FigureStyle.chart(title(), X_LABEL, yLabel());
    List<Line> lines = lines();
    FigureStyle.logarithmicX(
        chart.getStyler(),
        lines.stream()
            .flatMap(line -> line.points.stream())
            .collect(Collectors.summarizingDouble(Point::percent)));
    switch (quantity) {
      case SPEED ->
          FigureStyle.logarithmicY(
              chart.getStyler(),
              lines.stream()
                  .flatMap(line -> line.points.stream())
                  .collect(Collectors.summarizingDouble(Point::value)));
      case RECALL -> {
        chart.getStyler().setYAxisDecimalPattern("0.00##");
        chart.getStyler().setYAxisMax(1.0);
      }
    }
    for (Line line : lines) {
      XYSeries series =
          FigureStyle.addLine(
              chart,
              line.correlated ? line.format + " (correlated)" : line.format,
              Contender.named(line.format),
              line.points.stream().mapToDouble(Point::percent).toArray(),
              line.points.stream().mapToDouble(Point::value).toArray());
      if (line.correlated) {
        series.setLineStyle(SeriesLines.NONE);
        series.setShowInLegend(
            lines.stream().noneMatch(l -> !l.correlated && l.format.equals(line.format)));
      }
    }
    return chart;
  }

  private List<Line> lines() {
    Map<String, Line> lines = new LinkedHashMap<>();
    FilterReport.byFilter(searches)
        .forEach(
            (_, ofFilter) -> {
              FilterReport.FilteredSearch any = ofFilter.getFirst();
              values(ofFilter.stream().map(FilterReport.FilteredSearch::search).toList())
                  .forEach(
                      (format, value) ->
                          lines
                              .computeIfAbsent(
                                  any.correlated() + format,
                                  _ -> new Line(format, any.correlated(), new ArrayList<>()))
                              .points
                              .add(new Point(100 * any.selectivity(), value)));
            });
    lines.values().forEach(line -> line.points.sort(Comparator.comparingDouble(Point::percent)));
    return List.copyOf(lines.values());
  }

  /** What the formats reached under one filter. */
  private Map<String, Double> values(List<RecallReport.Search> found) {
    Map<String, Double> values = new LinkedHashMap<>();
    switch (quantity) {
      case SPEED ->
          Curve.byFormat(found)
              .forEach(
                  (format, curve) -> {
                    Optional<Curve.Reading> reading = curve.at(targetRecall);
                    reading.ifPresent(r -> values.put(format, r.queriesPerSecond()));
                  });
      case RECALL ->
          found.stream()
              .filter(search -> search.tolerance() == null)
              .sorted(Comparator.comparingInt(RecallReport.Search::fanOut))
              .forEach(search -> values.putIfAbsent(search.format(), search.recall()));
    }
    return values;
  }
}
