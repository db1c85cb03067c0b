package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.SeededRandom;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.search.AcceptDocs;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.search.TopKnnCollector;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.util.BitSetIterator;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.FixedBitSet;
import org.apache.lucene.util.SparseFixedBitSet;
import org.apache.lucene.util.hnsw.RandomVectorScorer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(SeededRandom.class)
class VectorDocsTest {
  private static final int MAX_DOC = 1000;

  /** Something to do with the vectors of one segment. */
  @FunctionalInterface
  private interface Check {
    void run(FloatVectorValues values, int[] docs) throws IOException;
  }

  /**
   * Runs a check on a segment where about one in {@code step} documents has a vector, anywhere:
   * were it every {@code step}th, 64 vectors would always end where 64 documents do.
   */
  private static void withVectors(int step, Random random, Check check) throws IOException {
    int[] docs = IntStream.range(0, MAX_DOC).filter(_ -> random.nextInt(step) == 0).toArray();
    try (Directory directory = new ByteBuffersDirectory()) {
      try (IndexWriter writer =
          new IndexWriter(directory, VectorIndex.writerConfig(Storage.FLOATS.format()))) {
        for (int doc = 0; doc < MAX_DOC; doc++) {
          Document document = new Document();
          if (Arrays.binarySearch(docs, doc) >= 0) {
            document.add(new KnnFloatVectorField(VectorIndex.FIELD, new float[] {doc}));
          }
          writer.addDocument(document);
        }
      }
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        check.run(reader.leaves().get(0).reader().getFloatVectorValues(VectorIndex.FIELD), docs);
      }
    }
  }

  private static void assertAccepts(FixedBitSet docs, int[] vectorDocs, AcceptedOrds accepted) {
    List<Integer> expected = new ArrayList<>();
    for (int ord = 0; ord < vectorDocs.length; ord++) {
      assertEquals(docs.get(vectorDocs[ord]), accepted.contains(ord), "ordinal " + ord);
      if (docs.get(vectorDocs[ord])) {
        expected.add(ord);
      }
    }
    assertEquals(expected.size(), accepted.count());
    assertEquals(expected, ords(accepted));
  }

  /** What the cursor tells. */
  private static List<Integer> ords(AcceptedOrds accepted) {
    List<Integer> ords = new ArrayList<>();
    AcceptedOrds.Cursor cursor = accepted.cursor();
    int[] batch = new int[7];
    int count;
    do {
      count = cursor.next(batch);
      Arrays.stream(batch, 0, count).forEach(ords::add);
    } while (count == batch.length);
    assertEquals(0, cursor.next(batch), "after the last one");
    return ords;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void noBitsAcceptAll(int step, Random random) throws IOException {
    withVectors(
        step,
        random,
        (values, docs) -> {
          AcceptedOrds accepted = of(AcceptDocs.fromLiveDocs(null, MAX_DOC), values);
          assertEquals(new AcceptedOrds.All(docs.length), accepted);
          FixedBitSet all = new FixedBitSet(MAX_DOC);
          all.set(0, MAX_DOC);
          assertAccepts(all, docs, accepted);
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7})
  void translatesAnyKindOfBits(int step, Random random) throws IOException {
    withVectors(
        step,
        random,
        (values, docs) -> {
          for (double share : new double[] {0, 0.002, 0.006, 0.1, 0.6, 1}) {
            FixedBitSet set = new FixedBitSet(MAX_DOC);
            SparseFixedBitSet sparse = new SparseFixedBitSet(MAX_DOC);
            for (int doc = 0; doc < MAX_DOC; doc++) {
              if (random.nextDouble() < share) {
                set.set(doc);
                sparse.set(doc);
              }
            }
            assertAccepts(set, docs, of(AcceptDocs.fromLiveDocs(set, MAX_DOC), values));
            assertAccepts(set, docs, of(AcceptDocs.fromLiveDocs(sparse, MAX_DOC), values));
            // Live documents are read-only bits that know no cardinality.
            Bits live = set.asReadOnlyBits();
            assertAccepts(set, docs, of(AcceptDocs.fromLiveDocs(live, MAX_DOC), values));
            assertAccepts(set, docs, of(filter(set, null), values));
            assertAccepts(set, docs, of(filter(set, new Bits.MatchAllBits(MAX_DOC)), values));
          }
        });
  }

  @Test
  void filterAndDeletesBothCount(Random random) throws IOException {
    for (int step : new int[] {1, 4}) {
      withVectors(
          step,
          random,
          (values, docs) -> {
            FixedBitSet filter = new FixedBitSet(MAX_DOC);
            FixedBitSet live = new FixedBitSet(MAX_DOC);
            for (int doc = 0; doc < MAX_DOC; doc++) {
              if (random.nextBoolean()) {
                filter.set(doc);
              }
              if (random.nextInt(10) > 0) {
                live.set(doc);
              }
            }
            FixedBitSet both = filter.clone();
            both.and(live);
            assertAccepts(both, docs, of(filter(filter, live.asReadOnlyBits()), values));
          });
    }
  }

  private static AcceptDocs filter(FixedBitSet set, Bits live) {
    return AcceptDocs.fromIteratorSupplier(
        () -> new BitSetIterator(set, set.cardinality()), live, MAX_DOC);
  }

  private static AcceptedOrds of(AcceptDocs acceptDocs, FloatVectorValues values)
      throws IOException {
    // A sparse iterator is used once.
    return new VectorDocs(MAX_DOC, values.size()).accepted(acceptDocs, values::copy);
  }

  @Test
  void bitsOfAFilterAreUsedAsTheyAre(Random random) throws IOException {
    withVectors(
        1,
        random,
        (values, _) -> {
          FixedBitSet set = new FixedBitSet(MAX_DOC);
          set.set(500, 900);
          AcceptedOrds accepted = of(filter(set, null), values);
          assertSame(set.getBits(), ((AcceptedOrds.Many) accepted).words());
        });
  }

  @Test
  void remembersWhichDocumentsHaveVectors(Random random) throws IOException {
    withVectors(
        3,
        random,
        (values, docs) -> {
          VectorDocs vectorDocs = new VectorDocs(MAX_DOC, values.size());
          for (int search = 0; search < 3; search++) {
            FixedBitSet set = new FixedBitSet(MAX_DOC);
            for (int doc = 0; doc < MAX_DOC; doc++) {
              if (random.nextBoolean()) {
                set.set(doc);
              }
            }
            assertAccepts(set, docs, vectorDocs.accepted(filter(set, null), values::copy));
          }
        });
  }

  /** Accepted documents that know of their number what they are told. */
  private static final class Estimated extends AcceptDocs {
    private final AcceptDocs docs;
    private final int cost;

    Estimated(AcceptDocs docs, int cost) {
      this.docs = docs;
      this.cost = cost;
    }

    @Override
    public Bits bits() throws IOException {
      return docs.bits();
    }

    @Override
    public DocIdSetIterator iterator() throws IOException {
      return docs.iterator();
    }

    @Override
    public int cost() {
      return cost;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void anEstimateOfHowManyAreAcceptedWillDo(int step, Random random) throws IOException {
    withVectors(
        step,
        random,
        (values, docs) -> {
          FixedBitSet set = new FixedBitSet(MAX_DOC);
          SparseFixedBitSet sparse = new SparseFixedBitSet(MAX_DOC);
          for (int i = 0; i < 90; i++) {
            int doc = random.nextInt(MAX_DOC);
            set.set(doc);
            sparse.set(doc);
          }
          for (int cost : new int[] {0, 1, 5, 90, MAX_DOC}) {
            for (Bits bits : new Bits[] {set, sparse, set.asReadOnlyBits()}) {
              AcceptDocs accepted = AcceptDocs.fromLiveDocs(bits, MAX_DOC);
              assertAccepts(set, docs, of(new Estimated(accepted, cost), values));
            }
          }
        });
  }

  /** A million documents, of which one in {@code step} has a vector. */
  private static final class Million extends FloatVectorValues {
    static final int DOCS = 1_000_000;
    final int step;
    int moves; // of its iterator

    Million(int step) {
      this.step = step;
    }

    @Override
    public DocIndexIterator iterator() {
      return new DocIndexIterator() {
        private int doc = -1;

        @Override
        public int index() {
          return doc / step;
        }

        @Override
        public int docID() {
          return doc;
        }

        @Override
        public int nextDoc() {
          return advance(doc + 1);
        }

        @Override
        public int advance(int target) {
          moves++;
          int next = Math.ceilDiv(target, step) * step;
          return doc = next < DOCS ? next : NO_MORE_DOCS;
        }

        @Override
        public long cost() {
          return size();
        }
      };
    }

    @Override
    public int size() {
      return Math.ceilDiv(DOCS, step);
    }

    @Override
    public float[] vectorValue(int ord) {
      throw new AssertionError("nobody asked for vectors");
    }

    @Override
    public FloatVectorValues copy() {
      return this;
    }

    @Override
    public int dimension() {
      return 1;
    }
  }

  /** Scores by ordinal, and counts. */
  private static final class OrdScorer implements RandomVectorScorer {
    final Million vectors;
    int scored;

    OrdScorer(Million vectors) {
      this.vectors = vectors;
    }

    @Override
    public float score(int ord) {
      scored++;
      return ord;
    }

    @Override
    public int maxOrd() {
      return vectors.size();
    }

    @Override
    public int ordToDoc(int ord) {
      return ord * vectors.step;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void aSearchOfFewDocumentsCostsTheSameInASegmentOfAnySize(int step) throws IOException {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    int matches = 50;
    long allocated = Long.MAX_VALUE;
    for (int run = 0; run < 5; run++) { // the first ones load classes
      Million vectors = new Million(step);
      SparseFixedBitSet set = new SparseFixedBitSet(Million.DOCS);
      for (int i = 0; i < matches; i++) {
        set.set(i * 19_998);
      }
      AcceptDocs filter =
          AcceptDocs.fromIteratorSupplier(
              () -> new BitSetIterator(set, matches), null, Million.DOCS);
      assertEquals(matches, filter.cost());
      OrdScorer scorer = new OrdScorer(vectors);
      TopKnnCollector collector = new TopKnnCollector(10, Integer.MAX_VALUE);
      VectorDocs vectorDocs = new VectorDocs(Million.DOCS, vectors.size());
      long before = threads.getCurrentThreadAllocatedBytes();
      AcceptedOrds accepted = vectorDocs.accepted(filter, () -> vectors);
      new ExactScan(scorer, accepted, collector).run();
      allocated = Math.min(allocated, threads.getCurrentThreadAllocatedBytes() - before);
      assertEquals(matches, scorer.scored);
      assertEquals(49 * 19_998, collector.topDocs().scoreDocs[0].doc);
      assertTrue(vectors.moves <= 2 * matches, vectors.moves + " moves");
    }
    // Bits for all ordinals would be 125,000 bytes, or a third.
    assertTrue(allocated < 20_000, allocated + " bytes");
  }
}
