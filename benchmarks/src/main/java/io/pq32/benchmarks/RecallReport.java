package io.pq32.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

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

  /** What one format gave at one fan-out: median and best of the passes, times of all of them. */
  record Search(
      String format,
      int fanOut,
      double recall,
      double queriesPerSecond,
      double bestQueriesPerSecond,
      double p50Millis,
      double p99Millis) {}

  /**
   * The speed of a format at one recall.
   *
   * @param queriesPerSecond null if the recall was not reached
   * @param lowerBound true if every fan-out has more recall
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
  }

  private final ObjectMapper mapper = new ObjectMapper();
  private final PrintWriter out;
  private final PrintWriter json;

  /** Writes tables to one writer, JSON lines to the other. */
  RecallReport(PrintWriter out, PrintWriter json) {
    this.out = out;
    this.json = json;
  }

  void head(Environment environment, Dataset data, RecallPlan plan) {
    line("environment", environment);
    line("dataset", DatasetLine.of(data, plan.k()));
    ObjectNode settings = mapper.valueToTree(plan);
    line("settings", settings);

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
    TextTable table =
        new TextTable("format", "fan-out", "recall@" + k, "QPS", "best QPS", "p50 ms", "p99 ms");
    for (Search search : searches) {
      line("search", search);
      table.add(
          search.format(),
          number("%d", search.fanOut()),
          number("%.4f", search.recall()),
          number("%,.0f", search.queriesPerSecond()),
          number("%,.0f", search.bestQueriesPerSecond()),
          number("%.3f", search.p50Millis()),
          number("%.3f", search.p99Millis()));
    }
    print("Search%n%s", table);
  }

  /** Compares speeds at equal recall; every format against the first. */
  void summary(List<Search> searches, List<Double> targets) {
    Map<String, Curve> curves = Curve.byFormat(searches);
    String first = curves.keySet().iterator().next();

    List<String> header = new ArrayList<>(List.of("format", "best recall", "QPS there"));
    for (double target : targets) {
      header.add("QPS at " + number("%.3f", target));
      header.add(first + " is");
    }
    TextTable table = new TextTable(header.toArray(String[]::new));
    curves.forEach(
        (format, curve) -> {
          List<String> cells = new ArrayList<>();
          cells.add(format);
          cells.add(number("%.4f", curve.best().recall()));
          cells.add(number("%,.0f", curve.best().queriesPerSecond()));
          for (double target : targets) {
            Optional<Curve.Reading> base = curves.get(first).at(target);
            Optional<Curve.Reading> reading = curve.at(target);
            Double ratio =
                base.isPresent() && reading.isPresent()
                    ? (Double) (base.get().queriesPerSecond() / reading.get().queriesPerSecond())
                    : null;
            line(
                "at-recall",
                new AtRecall(
                    format,
                    target,
                    reading.map(Curve.Reading::queriesPerSecond).orElse(null),
                    reading.map(Curve.Reading::lowerBound).orElse(false),
                    ratio));
            cells.add(
                reading
                    .map(r -> (r.lowerBound() ? ">=" : "") + number("%,.0f", r.queriesPerSecond()))
                    .orElse("not reached"));
            cells.add(
                ratio == null || format.equals(first)
                    ? "-"
                    : bound(base.get(), reading.get()) + number("%.2fx", ratio));
          }
          table.add(cells.toArray(String[]::new));
        });
    print("Speed at equal recall (>= where even the smallest fan-out has more)%n%s", table);
    out.flush();
  }

  /** What is known of a ratio whose parts may be lower bounds. */
  private static String bound(Curve.Reading numerator, Curve.Reading denominator) {
    if (numerator.lowerBound() && denominator.lowerBound()) {
      return "~";
    }
    return numerator.lowerBound() ? ">=" : denominator.lowerBound() ? "<=" : "";
  }

  private void line(String type, Object content) {
    ObjectNode line = mapper.createObjectNode().put("type", type);
    line.setAll((ObjectNode) mapper.valueToTree(content));
    json.println(line);
    json.flush();
  }

  private void print(String format, Object... values) {
    out.printf(Locale.ROOT, format + "%n", values);
    out.flush();
  }

  private static String number(String format, Object value) {
    return String.format(Locale.ROOT, format, value);
  }
}
