package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.pq32.quantization.SeededRandom;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.search.AcceptDocs;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.util.BitSetIterator;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.FixedBitSet;
import org.apache.lucene.util.SparseFixedBitSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(SeededRandom.class)
class AcceptedOrdsTest {
  private static final int MAX_DOC = 1000;

  /** Something to do with the vectors of one segment. */
  @FunctionalInterface
  private interface Check {
    void run(FloatVectorValues values, int[] docs) throws IOException;
  }

  /** Runs a check on a segment where one in {@code step} documents has a vector. */
  private static void withVectors(int step, Check check) throws IOException {
    try (Directory directory = new ByteBuffersDirectory()) {
      try (IndexWriter writer =
          new IndexWriter(directory, VectorIndex.writerConfig(Storage.FLOATS.format()))) {
        for (int doc = 0; doc < MAX_DOC; doc++) {
          Document document = new Document();
          if (doc % step == 0) {
            document.add(new KnnFloatVectorField(VectorIndex.FIELD, new float[] {doc}));
          }
          writer.addDocument(document);
        }
      }
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        check.run(
            reader.leaves().get(0).reader().getFloatVectorValues(VectorIndex.FIELD),
            IntStream.range(0, MAX_DOC).filter(doc -> doc % step == 0).toArray());
      }
    }
  }

  private static void assertAccepts(FixedBitSet docs, int[] vectorDocs, AcceptedOrds accepted) {
    int count = 0;
    for (int ord = 0; ord < vectorDocs.length; ord++) {
      boolean expected = docs.get(vectorDocs[ord]);
      assertEquals(expected, accepted.contains(ord), "ordinal " + ord);
      count += expected ? 1 : 0;
    }
    assertEquals(count, accepted.count());
    if (accepted.words() != null) {
      long bits = Arrays.stream(accepted.words()).map(Long::bitCount).sum();
      assertEquals(count, bits, "bits beyond the ordinals");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void noBitsAcceptAll(int step) throws IOException {
    withVectors(
        step,
        (values, docs) -> {
          AcceptedOrds accepted =
              AcceptedOrds.of(AcceptDocs.fromLiveDocs(null, MAX_DOC), values, MAX_DOC);
          assertNull(accepted.words());
          assertEquals(docs.length, accepted.count());
          assertEquals(true, accepted.contains(docs.length - 1));
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7})
  void translatesAnyKindOfBits(int step, Random random) throws IOException {
    withVectors(
        step,
        (values, docs) -> {
          for (double share : new double[] {0, 0.002, 0.1, 0.6, 1}) {
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
    return AcceptedOrds.of(acceptDocs, values.copy(), MAX_DOC); // a sparse iterator is used once
  }
}
