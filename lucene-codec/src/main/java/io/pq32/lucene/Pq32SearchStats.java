package io.pq32.lucene;

import org.apache.lucene.codecs.KnnVectorsReader;
import org.apache.lucene.codecs.perfield.PerFieldKnnVectorsFormat;
import org.apache.lucene.index.CodecReader;
import org.apache.lucene.index.FieldInfo;
import org.apache.lucene.index.FilterLeafReader;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.LeafReaderContext;

/**
 * How were the segments of a field searched, and what did that cost? Every open segment counts from
 * when it was opened; readers that share a segment share its counts, and those of a segment that
 * was merged away are gone with it. What one search did is the {@linkplain #minus difference} of
 * the counts after and before.
 *
 * <pre>{@code
 * Pq32SearchStats before = Pq32SearchStats.of(searcher.getIndexReader(), "emb");
 * searcher.search(new KnnFloatVectorQuery("emb", query, 10, filter), 10);
 * Pq32SearchStats cost = Pq32SearchStats.of(searcher.getIndexReader(), "emb").minus(before);
 * }</pre>
 *
 * <p>What Lucene scores itself, without a search of the segment, is not counted: a segment where
 * the filter accepts no more documents than there are hits wanted, for one. A search that ends in
 * an exception counts with what it did until then.
 *
 * @param exactScans searches of one segment that scored every accepted vector on its floats
 * @param codeScans those that scanned blocks of codes, the nearest first
 * @param rowScans those that scored every accepted code
 * @param graphWalks those that walked the graph
 * @param walksGivenUp walks, of those, that ended in scoring every accepted code
 * @param codesScored codes that scans and walks looked at, whether their document was accepted or
 *     not
 * @param vectorsScored vectors that were read and scored on their floats
 */
public record Pq32SearchStats(
    long exactScans,
    long codeScans,
    long rowScans,
    long graphWalks,
    long walksGivenUp,
    long codesScored,
    long vectorsScored) {
  static final Pq32SearchStats NONE = new Pq32SearchStats(0, 0, 0, 0, 0, 0, 0);

  /**
   * The counts of a field: the sum over all segments of a reader that are in this format, zero
   * where none is.
   *
   * @param reader of an index or of a segment
   */
  public static Pq32SearchStats of(IndexReader reader, String field) {
    Pq32SearchStats sum = NONE;
    for (LeafReaderContext leaf : reader.leaves()) {
      FieldInfo info = leaf.reader().getFieldInfos().fieldInfo(field);
      if (info != null && FilterLeafReader.unwrap(leaf.reader()) instanceof CodecReader segment) {
        KnnVectorsReader vectors = segment.getVectorReader();
        if (vectors instanceof PerFieldKnnVectorsFormat.FieldsReader perField) {
          vectors = perField.getFieldReader(field);
        }
        if (vectors instanceof Pq32VectorsReader ours) {
          sum = sum.plus(ours.searchStats(info));
        }
      }
    }
    return sum;
  }

  private Pq32SearchStats plus(Pq32SearchStats other) {
    return new Pq32SearchStats(
        exactScans + other.exactScans,
        codeScans + other.codeScans,
        rowScans + other.rowScans,
        graphWalks + other.graphWalks,
        walksGivenUp + other.walksGivenUp,
        codesScored + other.codesScored,
        vectorsScored + other.vectorsScored);
  }

  /** What has been counted since. */
  public Pq32SearchStats minus(Pq32SearchStats before) {
    return new Pq32SearchStats(
        exactScans - before.exactScans,
        codeScans - before.codeScans,
        rowScans - before.rowScans,
        graphWalks - before.graphWalks,
        walksGivenUp - before.walksGivenUp,
        codesScored - before.codesScored,
        vectorsScored - before.vectorsScored);
  }
}
