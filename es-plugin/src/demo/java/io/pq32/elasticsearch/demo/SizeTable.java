package io.pq32.elasticsearch.demo;

import io.pq32.lucene.Pq32HnswConfig;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/** What do the vectors take in each format? */
final class SizeTable {
  /**
   * One format.
   *
   * @param name what the format is called in a mapping
   * @param formats what the segments say who wrote their vectors
   * @param bytes what they take
   * @param recall of plain knn, so that bytes are compared at a known quality
   */
  record Column(String name, Set<String> formats, VectorBytes bytes, double recall) {}

  private final PrintStream out;
  private final List<Column> columns;

  SizeTable(PrintStream out, List<Column> columns) {
    this.out = out;
    this.columns = columns;
  }

  /** Prints the table; the first column is pq32's. */
  void print() {
    VectorBytes pq32 = columns.get(0).bytes();
    out.printf(
        Locale.ROOT,
        "%n4. Bytes of the %,d vectors in the same node, one merged segment each%n%n",
        pq32.count());
    line("", Column::name);
    bytes("full vectors", VectorBytes::raw);
    bytes("quantized vectors", VectorBytes::codes);
    bytes("codebook, ordinals", VectorBytes::codebook);
    bytes("graph", VectorBytes::graph);
    bytes("metadata", VectorBytes::metadata);
    bytes("on disk in all", VectorBytes::files);
    bytes("hot", VectorBytes::hot);
    each("hot, per vector", VectorBytes::hot);
    each("  codes alone", bytes -> bytes.hot() - bytes.codebook());
    line(
        "recall@" + Search.SIZE + " of plain knn",
        column -> String.format(Locale.ROOT, "%.3f", column.recall()));
    out.println();
    columns.forEach(
        column ->
            out.printf(
                "%s is written by %s.%n", column.name(), String.join(", ", column.formats())));
    out.printf(
        Locale.ROOT,
        """
        Hot is what a search reads over and over; of the full vectors it reads only those of its
        best candidates. The codebook of pq32 is kept once per segment: most of the hot bytes of
        %,d vectors, %.1f bytes each in a segment of a million. Below %,d vectors pq32 needs no
        graph.
        """,
        pq32.count(),
        pq32.codebook() / 1e6,
        Pq32HnswConfig.DEFAULT.graphThreshold());
  }

  private void each(String name, ToLongFunction<VectorBytes> bytes) {
    line(
        name,
        column ->
            String.format(
                Locale.ROOT,
                "%.1f",
                (double) bytes.applyAsLong(column.bytes()) / column.bytes().count()));
  }

  private void bytes(String name, ToLongFunction<VectorBytes> bytes) {
    line(name, column -> String.format(Locale.ROOT, "%,d", bytes.applyAsLong(column.bytes())));
  }

  private void line(String name, Function<Column, String> cell) {
    out.printf("  %-24s", name);
    columns.forEach(column -> out.printf("%22s", cell.apply(column)));
    out.println();
  }
}
