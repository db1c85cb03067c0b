package io.pq32.benchmarks;

import io.pq32.lucene.Pq32HnswConfig;
import io.pq32.lucene.Pq32HnswVectorsFormat;
import java.io.IOException;
import java.util.Arrays;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.lucene104.Lucene104HnswScalarQuantizedVectorsFormat;
import org.apache.lucene.codecs.lucene99.Lucene99HnswVectorsFormat;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.util.quantization.QuantizedByteVectorValues.ScalarEncoding;

/** A vectors format that takes part in the comparison: how it is built and how it is asked. */
enum Contender {
  PQ32("pq32", false, settings -> pq32(settings.graphThreshold(), settings)),
  /** Always with a graph, to find where it begins to pay. */
  PQ32_GRAPH("pq32-graph", false, settings -> pq32(1, settings)),
  /** Never with a graph. */
  PQ32_SCAN("pq32-scan", false, settings -> pq32(Integer.MAX_VALUE, settings)),
  FLOAT(
      "float",
      false,
      settings -> new Lucene99HnswVectorsFormat(settings.maxConn(), settings.beamWidth())),
  INT8("int8", true, settings -> scalar(ScalarEncoding.UNSIGNED_BYTE, settings)),
  INT4("int4", true, settings -> scalar(ScalarEncoding.PACKED_NIBBLE, settings)),
  ONE_BIT("1bit", true, settings -> scalar(ScalarEncoding.SINGLE_BIT_QUERY_NIBBLE, settings));

  /** The field of vectors in every index. */
  static final String FIELD = "vector";

  private final String label;
  private final boolean rescored;
  private final Function<BuildSettings, KnnVectorsFormat> format;

  Contender(String label, boolean rescored, Function<BuildSettings, KnnVectorsFormat> format) {
    this.label = label;
    this.rescored = rescored;
    this.format = format;
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

  /** The format that writes the index. */
  KnnVectorsFormat format(BuildSettings settings) {
    return format.apply(settings);
  }

  /**
   * The best k of {@code fanOut} candidates. Lucene's quantized formats return approximate scores,
   * so all their candidates are rescored with the full vectors; pq32 does that itself.
   */
  ScoreDoc[] search(IndexSearcher searcher, float[] vector, int fanOut, int k) throws IOException {
    Query query = new KnnFloatVectorQuery(FIELD, vector, fanOut);
    return rescored
        ? FullPrecisionRescorer.best(searcher, query, vector, k)
        : searcher.search(query, k).scoreDocs;
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

  private static KnnVectorsFormat scalar(ScalarEncoding encoding, BuildSettings settings) {
    return new Lucene104HnswScalarQuantizedVectorsFormat(
        encoding, settings.maxConn(), settings.beamWidth());
  }

  @Override
  public String toString() {
    return label;
  }
}
