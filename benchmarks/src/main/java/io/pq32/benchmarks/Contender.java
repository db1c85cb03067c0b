package io.pq32.benchmarks;

import io.pq32.lucene.Pq32HnswConfig;
import io.pq32.lucene.Pq32HnswVectorsFormat;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.lucene104.Lucene104HnswScalarQuantizedVectorsFormat;
import org.apache.lucene.codecs.lucene99.Lucene99HnswVectorsFormat;
import org.apache.lucene.util.quantization.QuantizedByteVectorValues.ScalarEncoding;

/** Who takes part in the comparison: vectors formats of Lucene, and another library. */
enum Contender {
  PQ32("pq32", new LuceneEngine(false, settings -> pq32(settings.graphThreshold(), settings))),
  /** Always with a graph, to find where it begins to pay. */
  PQ32_GRAPH("pq32-graph", new LuceneEngine(false, settings -> pq32(1, settings))),
  /** Never with a graph. */
  PQ32_SCAN("pq32-scan", new LuceneEngine(false, settings -> pq32(Integer.MAX_VALUE, settings))),
  FLOAT(
      "float",
      new LuceneEngine(
          false,
          settings -> new Lucene99HnswVectorsFormat(settings.maxConn(), settings.beamWidth()))),
  INT8("int8", scalar(ScalarEncoding.UNSIGNED_BYTE)),
  INT4("int4", scalar(ScalarEncoding.PACKED_NIBBLE)),
  ONE_BIT("1bit", scalar(ScalarEncoding.SINGLE_BIT_QUERY_NIBBLE)),
  JVECTOR("jvector", new JVectorEngine());

  private final String label;
  private final Engine engine;

  Contender(String label, Engine engine) {
    this.label = label;
    this.engine = engine;
  }

  static Contender named(String label) {
    return Arrays.stream(values())
        .filter(contender -> contender.label.equals(label))
        .findFirst()
        .orElseThrow(
            () -> new BadInputException("unknown format '" + label + "'; known: " + labels()));
  }

  static String labels() {
    return Arrays.stream(values()).map(Contender::toString).collect(Collectors.joining(", "));
  }

  /** Whether a search can be told what to tolerate. */
  boolean hasTolerance() {
    return switch (this) {
      case PQ32, PQ32_GRAPH, PQ32_SCAN -> true;
      case FLOAT, INT8, INT4, ONE_BIT, JVECTOR -> false;
    };
  }

  Engine engine() {
    return engine;
  }

  private static KnnVectorsFormat pq32(int graphThreshold, BuildSettings settings) {
    Pq32HnswConfig config = Pq32HnswConfig.DEFAULT;
    // beamWidth may never be below maxConn, not even between two changes.
    config =
        settings.beamWidth() >= config.maxConn()
            ? config.withBeamWidth(settings.beamWidth()).withMaxConn(settings.maxConn())
            : config.withMaxConn(settings.maxConn()).withBeamWidth(settings.beamWidth());
    return new Pq32HnswVectorsFormat(
        config.withBytesPerVector(settings.bytesPerVector()).withGraphThreshold(graphThreshold));
  }

  private static LuceneEngine scalar(ScalarEncoding encoding) {
    return new LuceneEngine(
        true,
        settings ->
            new Lucene104HnswScalarQuantizedVectorsFormat(
                encoding, settings.maxConn(), settings.beamWidth()));
  }

  @Override
  public String toString() {
    return label;
  }
}
