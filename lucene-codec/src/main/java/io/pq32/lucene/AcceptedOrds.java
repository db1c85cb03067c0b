package io.pq32.lucene;

import java.io.IOException;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.KnnVectorValues;
import org.apache.lucene.search.AcceptDocs;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.FixedBitSet;

/**
 * Which ordinals may a search return?
 *
 * @param words one bit per ordinal, or null when all are accepted
 * @param count accepted ordinals
 */
record AcceptedOrds(long[] words, int count) {
  /** Translates accepted documents to ordinals of a field's vectors. */
  static AcceptedOrds of(AcceptDocs acceptDocs, FloatVectorValues values, int maxDoc)
      throws IOException {
    Bits bits = acceptDocs.bits();
    int size = values.size();
    if (bits == null) {
      return new AcceptedOrds(null, size);
    }
    if (size == maxDoc) { // every document has a vector: ordinals are documents
      if (bits instanceof FixedBitSet set) {
        return new AcceptedOrds(set.getBits(), acceptDocs.cost());
      }
      if (acceptDocs.cost() == maxDoc) {
        // Live documents, or a filter that accepts all: most bits are set, so start from all.
        FixedBitSet set = new FixedBitSet(size);
        set.set(0, size);
        bits.applyMask(set, 0);
        return new AcceptedOrds(set.getBits(), set.cardinality());
      }
    }
    FixedBitSet ords = new FixedBitSet(size);
    KnnVectorValues.DocIndexIterator vectors = values.iterator();
    DocIdSetIterator accepted = acceptDocs.iterator();
    int doc = accepted.nextDoc();
    int count = 0;
    while (doc != DocIdSetIterator.NO_MORE_DOCS) {
      int vectorDoc = vectors.docID() < doc ? vectors.advance(doc) : vectors.docID();
      if (vectorDoc == DocIdSetIterator.NO_MORE_DOCS) {
        break;
      }
      if (vectorDoc == doc) {
        ords.set(vectors.index());
        count++;
        doc = accepted.nextDoc();
      } else {
        doc = accepted.advance(vectorDoc);
      }
    }
    return new AcceptedOrds(ords.getBits(), count);
  }

  boolean contains(int ord) {
    return words == null || (words[ord >>> 6] >>> ord & 1) != 0;
  }
}
