package io.pq32.elasticsearch.demo;

import io.pq32.elasticsearch.demo.Sample.Query;
import io.pq32.elasticsearch.demo.SizeTable.Column;
import io.pq32.elasticsearch.node.ElasticsearchNode;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * Does Elasticsearch with the plugin give the right answers, and what do its vectors take? Starts a
 * node, loads the sample into it, asks, and compares with the exact answers and with the stock
 * formats.
 */
public final class Demo {
  /** System property: folder of the unpacked Elasticsearch. */
  static final String DISTRIBUTION = "pq32.distribution";

  /** System property: the plugin's zip. */
  static final String PLUGIN_ZIP = "pq32.plugin.zip";

  /** A search, and the query it is shown with. */
  private record Example(Search search, Query query) {}

  /** What a segment calls the format that has to write the vectors. */
  private static final String FORMAT = "Pq32HnswVectorsFormat";

  private static final String QUERIES = "queries";
  private static final String HEAP = "1g";
  private static final int BAR_WIDTH = 100;

  private final PrintStream out;
  private final boolean terminal = System.console() != null && System.console().isTerminal();
  private final ElasticsearchNode node;
  private final Sample sample;
  private final List<Example> examples;

  private Demo(PrintStream out, ElasticsearchNode node, Sample sample) {
    this.out = out;
    this.node = node;
    this.sample = sample;
    this.examples =
        List.of(
            new Example(
                new Search.Plain(), query("tool for testing VT100 compatibility of terminals")),
            new Example(
                new Search.Filtered(new Filter("all", 1000)),
                query("module for calculating tile numbers for OpenStreetMap")),
            // The text of these queries scores between 5 and 30, a vector below 1.
            new Example(
                new Search.Hybrid(50, 20),
                query("scan storage media for bad or near failure sectors")));
  }

  private Query query(String text) {
    return sample.queries().stream()
        .filter(query -> query.text().equals(text))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("not in the sample: " + text));
  }

  /**
   * Runs the demo and ends with status 0 only if every answer is right.
   *
   * @param args {@code once} to end after the answers, {@code stay} to leave the node running until
   *     this process is ended
   */
  public static void main(String[] args) {
    boolean once =
        switch (String.join(" ", args)) {
          case "once" -> true;
          case "stay" -> false;
          default -> throw new IllegalArgumentException("usage: Demo once|stay");
        };
    int status = 1;
    try {
      status = run(once, System.out);
    } catch (IOException | RuntimeException e) {
      if (!ending()) {
        System.err.println("\nThe demo failed: " + (e instanceof IOException ? e.getMessage() : e));
      }
    }
    System.exit(status);
  }

  private static int run(boolean once, PrintStream out) throws IOException {
    Sample sample = Sample.load();
    try (ElasticsearchNode node =
        ElasticsearchNode.install(
            Path.of(requireProperty(DISTRIBUTION)),
            Path.of(requireProperty(PLUGIN_ZIP)),
            HEAP,
            Map.of(),
            out::println)) {
      node.start();
      ProcessHandle server = ProcessHandle.of(node.pid()).orElseThrow();
      try {
        Demo demo = new Demo(out, node, sample);
        boolean right = demo.examine();
        if (!once) {
          demo.stay(server);
        }
        return right ? 0 : 1;
      } catch (IOException e) {
        throw server.isAlive()
            ? e
            : new IOException("Elasticsearch has ended by itself" + node.logTail(), e);
      }
    }
  }

  static String requireProperty(String name) {
    String value = System.getProperty(name);
    if (value == null) {
      throw new IllegalArgumentException("system property " + name + " is not set");
    }
    return value;
  }

  /** Whether Ctrl-C or a kill has come: then the node goes away under us, which is no failure. */
  private static boolean ending() {
    Thread hook = new Thread(() -> {});
    try {
      Runtime.getRuntime().addShutdownHook(hook);
      Runtime.getRuntime().removeShutdownHook(hook);
      return false;
    } catch (IllegalStateException _) {
      return true;
    }
  }

  private boolean examine() throws IOException {
    int dimension = sample.documents().get(0).vector().length;
    out.printf(
        Locale.ROOT,
        "%nThe sample: %,d Debian packages (text, metadata, %d-dimensional vector of the text)"
            + " and %d queries.%n%n",
        sample.documents().size(),
        dimension,
        sample.queries().size());
    Index pq32 = Index.ofPackages(node, "packages", dimension, true, null);
    Index bbq = Index.ofPackages(node, "packages-stock", dimension, false, null);
    Index int8 = Index.ofPackages(node, "packages-int8", dimension, false, "int8_hnsw");
    for (Index index : List.of(pq32, bbq, int8)) {
      fill(index);
    }
    Index.ofQueries(node, QUERIES, dimension).load(sample.queries());

    Examination examination = new Examination(sample, out);
    boolean right = true;
    for (int i = 0; i < examples.size(); i++) {
      Example example = examples.get(i);
      out.printf("%n%d. ", i + 1);
      right &= examination.print(example.search(), example.query(), pq32);
    }
    new SizeTable(
            out,
            List.of(
                column("pq32", pq32, examination),
                column("bbq_hnsw (default)", bbq, examination),
                column("int8_hnsw", int8, examination)))
        .print();
    if (!pq32.formats().equals(Set.of(FORMAT))) {
      out.printf("%nWRONG: not all vectors of %s are written by %s.%n", pq32.name(), FORMAT);
      right = false;
    }
    out.printf("%n%s%n", right ? "All examples are right." : "NOT all examples are right.");
    return right;
  }

  private static Column column(String name, Index index, Examination examination)
      throws IOException {
    return new Column(
        name, index.formats(), index.vectorBytes(), examination.recall(new Search.Plain(), index));
  }

  private void fill(Index index) throws IOException {
    try (ProgressBar bar = bar("Loading " + index.name(), sample.documents().size())) {
      index.load(sample.documents(), bar::stepTo);
      bar.setExtraMessage(" merging");
      index.merge();
      bar.setExtraMessage(" merged");
    }
    if (terminal) {
      out.println();
    }
  }

  /**
   * A bar that moves on a terminal; in a file or pipe it is printed again, seldom. The library's
   * own terminal would take Ctrl-C away from this JVM, and Elasticsearch's files would be left
   * behind.
   */
  private ProgressBar bar(String task, int max) {
    return new ProgressBarBuilder()
        .setTaskName(String.format("%-22s", task))
        .setInitialMax(max)
        .setStyle(ProgressBarStyle.ASCII)
        .setUpdateIntervalMillis(terminal ? 500 : 5000)
        .setConsumer(
            new DelegatingProgressBarConsumer(
                terminal ? text -> out.print("\r" + text) : out::println, BAR_WIDTH))
        .build();
  }

  /** Says how to ask the node, and waits until this process is ended or the node dies. */
  private void stay(ProcessHandle server) throws IOException {
    out.printf("%nElasticsearch is at %s. Ask it yourself:%n%n", node.uri());
    for (Example example : examples) {
      var request = example.search().request(example.query().text());
      request
          .withObject("/knn")
          .putObject("query_vector_builder")
          .putObject("lookup")
          .put("index", QUERIES)
          .put("id", example.query().id())
          .put("path", Index.VECTOR);
      request.putArray("_source").add("title").add("installed_kb").add("arch");
      out.printf(
          "curl -s '%s/packages/_search?pretty' -H 'Content-Type: application/json' -d '%s'%n%n",
          node.uri(), request);
    }
    out.printf("curl -s '%s/packages/_stats/dense_vector?human&pretty'%n%n", node.uri());
    out.println("Ctrl-C stops Elasticsearch and deletes its files.");
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  if (server.isAlive()) {
                    out.println("\nStopping Elasticsearch ...");
                  }
                }));
    server.onExit().join();
    throw new IOException("Elasticsearch is gone");
  }
}
