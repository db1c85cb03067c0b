package io.pq32.benchmarks;

import io.github.jbellis.jvector.graph.GraphSearcher;
import io.github.jbellis.jvector.graph.ImmutableGraphIndex;
import io.github.jbellis.jvector.graph.RandomAccessVectorValues;
import io.github.jbellis.jvector.graph.SearchResult;
import io.github.jbellis.jvector.graph.similarity.DefaultSearchScoreProvider;
import io.github.jbellis.jvector.quantization.PQVectors;
import io.github.jbellis.jvector.util.Bits;
import io.github.jbellis.jvector.vector.VectorSimilarityFunction;
import io.github.jbellis.jvector.vector.VectorizationProvider;
import io.github.jbellis.jvector.vector.types.VectorFloat;
import java.io.IOException;
import java.util.Map;

/** A graph of jVector that is walked on codes; the candidates are reranked on the full vectors. */
final class JVectorIndex implements SearchableIndex {
  private final RandomAccessVectorValues values;
  private final VectorSimilarityFunction function;
  private final PQVectors codes;
  private final ImmutableGraphIndex graph;
  private final ThreadLocal<GraphSearcher> searcher;

  JVectorIndex(
      RandomAccessVectorValues values,
      VectorSimilarityFunction function,
      PQVectors codes,
      ImmutableGraphIndex graph) {
    this.values = values;
    this.function = function;
    this.codes = codes;
    this.graph = graph;
    this.searcher = ThreadLocal.withInitial(() -> new GraphSearcher(graph));
  }

  @Override
  public int[] search(float[] query, int fanOut, int k) {
    VectorFloat<?> vector =
        VectorizationProvider.getInstance().getVectorTypeSupport().createFloatVector(query);
    DefaultSearchScoreProvider scores =
        new DefaultSearchScoreProvider(
            codes.precomputedScoreFunctionFor(vector, function),
            values.rerankerFor(vector, function));
    SearchResult.NodeScore[] found =
        searcher.get().search(scores, k, fanOut, 0, 0, Bits.ALL).getNodes();
    int[] ids = new int[found.length];
    for (int rank = 0; rank < ids.length; rank++) {
      ids[rank] = found[rank].node;
    }
    return ids;
  }

  @Override
  public int segments() {
    return 1;
  }

  @Override
  public Map<String, Long> bytes() {
    long full = (long) values.size() * values.dimension() * Float.BYTES;
    return Map.of("vectors", full, "codes", codes.ramBytesUsed(), "graph", graph.ramBytesUsed());
  }

  @Override
  public long hotBytes() {
    return codes.ramBytesUsed() + graph.ramBytesUsed();
  }

  @Override
  public void close() throws IOException {
    graph.close();
  }
}
