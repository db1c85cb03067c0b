package io.pq32.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Function;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;

/**
 * An index of Lucene with some format for its vectors.
 *
 * @param rescored whether the format returns approximate scores, so that all candidates are scored
 *     again with the full vectors; pq32 does that by itself
 */
record LuceneEngine(boolean rescored, Function<BuildSettings, KnnVectorsFormat> format)
    implements Engine {

  @Override
  public void check(BuildSettings settings, Similarity similarity) {
    format.apply(settings);
  }

  @Override
  public Built build(
      VectorSet vectors,
      Similarity similarity,
      BuildSettings settings,
      Path folder,
      String task,
      Progress.Factory progress)
      throws IOException {
    BuildTime time =
        LuceneBuild.run(
            vectors, similarity, format.apply(settings), settings, folder, task, progress);
    return new Built(time, new LuceneIndex(folder, this));
  }

  /** The best k of {@code fanOut} candidates. */
  ScoreDoc[] search(IndexSearcher searcher, float[] vector, int fanOut, int k) throws IOException {
    Query query = new KnnFloatVectorQuery(LuceneIndex.FIELD, vector, fanOut);
    return rescored
        ? FullPrecisionRescorer.best(searcher, query, vector, k)
        : searcher.search(query, k).scoreDocs;
  }
}
