package io.pq32.benchmarks;

import java.util.List;
import org.apache.lucene.index.IndexableField;

/** What else is indexed with a vector? */
interface DocumentFields {
  DocumentFields NONE = _ -> List.of();

  /**
   * @param row place of the vector in the file it came from
   */
  List<IndexableField> of(int row);
}
