package io.pq32.benchmarks;

import io.pq32.lucene.Pq32SearchStrategy;
import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalDouble;
import java.util.function.Function;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.knn.KnnSearchStrategy;

/**
 * An index of Lucene with some format for its vectors.
 *
 * @param rescored whether the format returns approximate scores, so that all candidates are scored
 *     again with the full vectors; pq32 does that by itself
 */
record LuceneEngine(boolean rescored, Function<BuildSettings, KnnVectorsFormat> format)
    implements Engine {

  /**
   * Explores nodes that pass alone where at most 60 % do: what Elasticsearch asks for, and faster
   * than Lucene's default, which never does.
   */
  private static final int FILTERED_SEARCH_THRESHOLD = 60;

  @Override
  public void check(BuildSettings settings, Similarity similarity) {
    format.apply(settings);
  }

  @Override
  public boolean hasFields() {
    return true;
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
    BuildTime time =
        LuceneBuild.run(
            vectors, similarity, fields, format.apply(settings), settings, folder, task, progress);
    return new Built(time, new LuceneIndex(folder, this));
  }

  /**
   * The best k of {@code fanOut} candidates.
   *
   * @param tolerance of pq32
   */
  ScoreDoc[] search(
      IndexSearcher searcher, float[] vector, int fanOut, OptionalDouble tolerance, int k)
      throws IOException {
    KnnSearchStrategy strategy =
        strategy(tolerance, KnnSearchStrategy.DEFAULT_FILTERED_SEARCH_THRESHOLD);
    Query query = new KnnFloatVectorQuery(LuceneIndex.FIELD, vector, fanOut, null, strategy);
    return rescored
        ? FullPrecisionRescorer.best(searcher, query, vector, k)
        : searcher.search(query, k).scoreDocs;
  }

  /**
   * The best k of {@code fanOut} candidates that pass a filter.
   *
   * @param filtering a searcher that caches filters as it sees fit
   * @param searcher one of the same reader that caches nothing
   * @param tolerance of pq32
   */
  ScoreDoc[] search(
      IndexSearcher filtering,
      IndexSearcher searcher,
      float[] vector,
      int fanOut,
      OptionalDouble tolerance,
      int k,
      Query filter)
      throws IOException {
    KnnSearchStrategy strategy = strategy(tolerance, FILTERED_SEARCH_THRESHOLD);
    Query query = new KnnFloatVectorQuery(LuceneIndex.FIELD, vector, fanOut, filter, strategy);
    return rescored
        ? FullPrecisionRescorer.best(searcher, filtering.rewrite(query), vector, k)
        : filtering.search(query, k).scoreDocs;
  }

  private static KnnSearchStrategy strategy(OptionalDouble tolerance, int filteredSearchThreshold) {
    return tolerance.isPresent()
        ? new Pq32SearchStrategy(tolerance.getAsDouble(), filteredSearchThreshold)
        : new KnnSearchStrategy.Hnsw(filteredSearchThreshold);
  }
}
