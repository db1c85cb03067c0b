package io.pq32.benchmarks;

import java.io.IOException;
import java.nio.file.Path;

/** How is an index built? */
sealed interface Engine permits LuceneEngine, JVectorEngine {
  /** Rejects what this engine cannot build, before anything is done. */
  void check(BuildSettings settings, Similarity similarity);

  /** Whether other fields can be indexed with the vectors, to filter on. */
  boolean hasFields();

  /**
   * Builds an index of the vectors on the calling thread and opens it.
   *
   * @param fields to index with them, if this engine has any
   * @param folder for its files, if it has any
   * @param task what to call it in reports of progress
   */
  Built build(
      VectorSet vectors,
      Similarity similarity,
      DocumentFields fields,
      BuildSettings settings,
      Path folder,
      String task,
      Progress.Factory progress)
      throws IOException;

  /** An index, and how long it took. */
  record Built(BuildTime time, SearchableIndex index) {}
}
