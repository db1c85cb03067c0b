package io.pq32.benchmarks;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Tells the results of a run: tables to read, and the same as JSON lines. */
final class RecallReport {
  /**
   * What an index cost.
   *
   * @param fileBytes of the vector files, by extension; jVector writes none, its parts are named
   */
  record Build(
      String format,
      double indexSeconds,
      double mergeSeconds,
      double totalSeconds,
      double docsPerSecond,
      int segments,
      double diskBytesPerVector,
      double hotBytesPerVector,
      Map<String, Long> fileBytes) {}

  /**
   * What one format gave at one setting: median and best of the passes, times of all of them.
   *
   * @param tolerance null where none was set
   */
  record Search(
      String format,
      int fanOut,
      @JsonInclude(JsonInclude.Include.NON_NULL) Double tolerance,
      double recall,
      double queriesPerSecond,
      double bestQueriesPerSecond,
      double p50Millis,
      double p99Millis) {
    /** What stands for no tolerance where there has to be a number. */
    static final double NO_TOLERANCE = Double.NaN;

    Search {
      tolerance = tolerance == null || Double.isNaN(tolerance) ? null : tolerance;
    }
  }

  /**
   * The speed of a format at one recall.
   *
   * @param queriesPerSecond null if the recall was not reached
   * @param lowerBound true if every setting has more recall
   * @param baseRatio speed of the first format over this one's; null if either did not get there
   */
  record AtRecall(
      String format,
      double recall,
      Double queriesPerSecond,
      boolean lowerBound,
      Double baseRatio) {}

  /** What was searched for what. */
  record DatasetLine(String name, int vectors, int dimension, String metric, int queries, int k) {
    static DatasetLine of(Dataset data, int k) {
      return new DatasetLine(
          data.name(),
          data.base().size(),
          data.base().dimension(),
          data.similarity().toString(),
          data.queries().size(),
          k);
    }

    String description() {
      return String.format(
          Locale.ROOT, "%s: %,d vectors of %,d dimensions, %s", name, vectors, dimension, metric);
    }
  }

  private final ReportWriter writer;

  RecallReport(ReportWriter writer) {
    this.writer = writer;
  }

  void head(Environment environment, Dataset data, RecallPlan plan) {
    line("environment", environment);
    line("dataset", DatasetLine.of(data, plan.k()));
    line("settings", plan);

    print(
        "%s: %,d vectors of %,d dimensions, %s; %,d queries, k = %d",
        data.name(),
        data.base().size(),
        data.base().dimension(),
        data.similarity(),
        data.queries().size(),
        plan.k());
    print(
        "%s, %d processors, load %.2f; %s",
        environment.cpu(),
        environment.processors(),
        environment.loadAverage(),
        environment.system());
    print(
        "%s, heap %,d MB, %s, %s; pq32 kernels: %s; Lucene %s",
        environment.jvm(),
        environment.maxHeapMb(),
        environment.gc(),
        environment.vectorBits() == 0 ? "no Vector API" : environment.vectorBits() + "-bit vectors",
        environment.pq32Kernels(),
        environment.lucene());
    print("JVM options: %s", String.join(" ", environment.jvmArguments()));
    BuildSettings build = plan.build();
    print(
        "maxConn %d, beamWidth %d; pq32: %d bytes, graph from %,d vectors; indexing on one thread,"
            + " %s",
        build.maxConn(),
        build.beamWidth(),
        build.bytesPerVector(),
        build.graphThreshold(),
        build.segments() == 1
            ? "RAM buffer %d MB, serial merges, force-merged".formatted(build.ramBufferMb())
            : "%d flushes, no merges".formatted(build.segments()));
    print(
        "%d search thread(s); %d warm-up and %d timed passes, formats in turn; QPS is the median"
            + " pass",
        plan.threads(), plan.warmUps(), plan.repeats());
  }

  void builds(List<Build> builds) {
    TextTable table =
        new TextTable(
            "format",
            "index s",
            "merge s",
            "total s",
            "docs/s",
            "segments",
            "disk B/vector",
            "hot B/vector");
    for (Build build : builds) {
      line("build", build);
      table.add(
          build.format(),
          number("%.1f", build.indexSeconds()),
          number("%.1f", build.mergeSeconds()),
          number("%.1f", build.totalSeconds()),
          number("%,.0f", build.docsPerSecond()),
          number("%d", build.segments()),
          number("%,.1f", build.diskBytesPerVector()),
          number("%,.1f", build.hotBytesPerVector()));
    }
    print("%nBuild%n%s", table);
  }

  void searches(List<Search> searches, int k) {
    TextTable table = searchTable(k);
    for (Search search : searches) {
      line("search", search);
      addTo(table, search);
    }
    print("Search%n%s", table);
  }

  static TextTable searchTable(int k) {
    return new TextTable(
        "format", "fan-out", "tolerance", "recall@" + k, "QPS", "best QPS", "p50 ms", "p99 ms");
  }

  static void addTo(TextTable table, Search search) {
    table.add(
        search.format(),
        number("%d", search.fanOut()),
        search.tolerance() == null ? "-" : search.tolerance().toString(),
        number("%.4f", search.recall()),
        number("%,.0f", search.queriesPerSecond()),
        number("%,.0f", search.bestQueriesPerSecond()),
        number("%.3f", search.p50Millis()),
        number("%.3f", search.p99Millis()));
  }

  /** Compares speeds at equal recall; every format against the first. */
  void summary(List<Search> searches, List<Double> targets) {
    Map<String, Curve> curves = Curve.byFormat(searches);
    EqualRecall equal = new EqualRecall(curves);
    List<String> header = new ArrayList<>(List.of("format", "best recall", "QPS there"));
    for (double target : targets) {
      header.add("QPS at " + number("%.3f", target));
      header.add(equal.first() + " is");
    }
    TextTable table = new TextTable(header.toArray(String[]::new));
    curves.forEach(
        (format, curve) -> {
          List<String> cells = new ArrayList<>();
          cells.add(format);
          cells.add(number("%.4f", curve.best().recall()));
          cells.add(number("%,.0f", curve.best().queriesPerSecond()));
          for (double target : targets) {
            EqualRecall.Comparison comparison = equal.at(format, target);
            line("at-recall", comparison.figures());
            cells.add(comparison.speed());
            cells.add(comparison.ratio());
          }
          table.add(cells.toArray(String[]::new));
        });
    print("Speed at equal recall (>= where even the fastest setting has more)%n%s", table);
  }

  private void line(String type, Object content) {
    writer.line(type, content);
  }

  private void print(String format, Object... values) {
    writer.print(format, values);
  }

  private static String number(String format, Object value) {
    return ReportWriter.number(format, value);
  }
}
