package io.pq32.benchmarks;

import io.github.jbellis.jvector.graph.GraphIndexBuilder;
import io.github.jbellis.jvector.graph.ImmutableGraphIndex;
import io.github.jbellis.jvector.graph.ListRandomAccessVectorValues;
import io.github.jbellis.jvector.graph.RandomAccessVectorValues;
import io.github.jbellis.jvector.graph.similarity.BuildScoreProvider;
import io.github.jbellis.jvector.quantization.PQVectors;
import io.github.jbellis.jvector.quantization.ProductQuantization;
import io.github.jbellis.jvector.vector.VectorSimilarityFunction;
import io.github.jbellis.jvector.vector.VectorizationProvider;
import io.github.jbellis.jvector.vector.types.VectorFloat;
import io.github.jbellis.jvector.vector.types.VectorTypeSupport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ForkJoinPool;

/**
 * An index of jVector: product quantization and a graph, both in memory, with the full vectors
 * beside them. That is the fastest jVector can be; it builds its graph from the full vectors, which
 * finds more than building it from codes.
 */
final class JVectorEngine implements Engine {
  /** Centroids of a sub-quantizer: one byte of code. */
  private static final int CLUSTERS = 256;

  /** What jVector's own benchmarks use. */
  private static final float NEIGHBOR_OVERFLOW = 1.2f;

  /** What jVector's own benchmarks use. */
  private static final float ALPHA = 1.2f;

  /** Vectors between two reports of progress. */
  private static final int REPORT_EVERY = 64;

  @Override
  public void check(BuildSettings settings, Similarity similarity) {
    function(similarity);
    if (settings.segments() != 1) {
      throw new BadInputException(
          "jvector: builds one graph, so --segments must be 1; got " + settings.segments());
    }
  }

  @Override
  public boolean hasFields() {
    return false;
  }

  private static VectorSimilarityFunction function(Similarity similarity) {
    return switch (similarity) {
      case L2 -> VectorSimilarityFunction.EUCLIDEAN;
      case DOT -> VectorSimilarityFunction.DOT_PRODUCT;
      case COSINE -> VectorSimilarityFunction.COSINE;
      case MIP -> throw new BadInputException("jvector: does not know metric mip");
    };
  }

  @Override
  public Built build(
      VectorSet vectors,
      Similarity similarity,
      DocumentFields fields,
      BuildSettings settings,
      Path folder,
      String task,
      Progress.Factory progress)
      throws IOException {
    checkSize(vectors, settings);
    VectorSimilarityFunction function = function(similarity);
    RandomAccessVectorValues values = copy(vectors);
    long start = System.nanoTime();
    try (ForkJoinPool oneThread = new ForkJoinPool(1);
        Progress adding = progress.start(task, vectors.size())) {
      ProductQuantization quantizer =
          ProductQuantization.compute(
              values,
              settings.bytesPerVector(),
              CLUSTERS,
              similarity == Similarity.L2, // centering is for distances alone
              -1f, // isotropic
              oneThread,
              oneThread);
      PQVectors codes = quantizer.encodeAll(values, oneThread);
      ImmutableGraphIndex graph = graph(values, function, settings, oneThread, adding);
      BuildTime time = new BuildTime((System.nanoTime() - start) / 1e9, 0);
      return new Built(time, new JVectorIndex(values, function, codes, graph));
    }
  }

  private static void checkSize(VectorSet vectors, BuildSettings settings) {
    if (vectors.size() < CLUSTERS) {
      throw new BadInputException(
          "jvector: needs at least %d vectors; got %d".formatted(CLUSTERS, vectors.size()));
    }
    if (settings.bytesPerVector() > vectors.dimension()) {
      throw new BadInputException(
          "jvector: --bytes-per-vector must be at most the dimension %d; got %d"
              .formatted(vectors.dimension(), settings.bytesPerVector()));
    }
    long needed = (long) vectors.size() * vectors.dimension() * Float.BYTES;
    long heap = Runtime.getRuntime().maxMemory();
    if (needed > heap / 2) {
      throw new BadInputException(
          "jvector: keeps the full vectors on the heap; -Xmx must be at least %,d MB, is %,d MB"
              .formatted(2 * needed >> 20, heap >> 20));
    }
  }

  private static RandomAccessVectorValues copy(VectorSet vectors) {
    VectorTypeSupport types = VectorizationProvider.getInstance().getVectorTypeSupport();
    List<VectorFloat<?>> copies = new ArrayList<>(vectors.size());
    for (int id = 0; id < vectors.size(); id++) {
      copies.add(types.createFloatVector(vectors.get(id)));
    }
    return new ListRandomAccessVectorValues(copies, vectors.dimension());
  }

  private static ImmutableGraphIndex graph(
      RandomAccessVectorValues values,
      VectorSimilarityFunction function,
      BuildSettings settings,
      ForkJoinPool oneThread,
      Progress progress)
      throws IOException {
    try (GraphIndexBuilder builder =
        new GraphIndexBuilder(
            BuildScoreProvider.randomAccessScoreProvider(values, function),
            values.dimension(),
            2 * settings.maxConn(), // as HNSW has on its lowest layer
            settings.beamWidth(),
            NEIGHBOR_OVERFLOW,
            ALPHA,
            true,
            true,
            oneThread,
            oneThread)) {
      for (int id = 0; id < values.size(); id++) {
        builder.addGraphNode(id, values.getVector(id));
        if (id % REPORT_EVERY == REPORT_EVERY - 1) {
          progress.step(REPORT_EVERY);
        }
      }
      builder.cleanup();
      return builder.getGraph();
    }
  }
}
