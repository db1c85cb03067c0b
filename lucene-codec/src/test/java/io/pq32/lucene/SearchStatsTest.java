package io.pq32.lucene;

import static io.pq32.lucene.VectorIndex.FIELD;
import static io.pq32.lucene.VectorIndex.ID;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.lucene.codecs.lucene99.Lucene99HnswVectorsFormat;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.IntField;
import org.apache.lucene.document.KnnByteVectorField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.ExitableDirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(SeededRandom.class)
class SearchStatsTest {
  private static final VectorSimilarityFunction SIMILARITY = VectorSimilarityFunction.EUCLIDEAN;
  private static final int SIZE = 3000;
  private static final int K = 10;

  /** What a search did. */
  private static Pq32SearchStats search(DirectoryReader reader, float[] query, Query filter)
      throws IOException {
    Pq32SearchStats before = Pq32SearchStats.of(reader, FIELD);
    new IndexSearcher(reader).search(new KnnFloatVectorQuery(FIELD, query, K, filter), K);
    return Pq32SearchStats.of(reader, FIELD).minus(before);
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void tellsHowASegmentWasSearchedAndWhatThatCost(Storage storage, Random random)
      throws IOException {
    float[][] vectors = Vectors.anisotropic(random, SIZE, 32);
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(directory, storage.format(), vectors, SIMILARITY);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        for (int q = 0; q < 3; q++) {
          Pq32SearchStats cost = search(reader, vectors[q], null);
          Pq32SearchStats plan =
              new Pq32SearchStats(
                  storage == Storage.FLOATS ? 1 : 0,
                  storage == Storage.CODES ? 1 : 0,
                  storage == Storage.GRAPH ? 1 : 0,
                  storage == Storage.WALK ? 1 : 0,
                  0,
                  cost.codesScored(),
                  cost.vectorsScored());
          assertEquals(plan, cost);
          switch (storage) {
            case FLOATS -> {
              assertEquals(0, cost.codesScored());
              assertEquals(SIZE, cost.vectorsScored());
            }
            case CODES -> assertEquals(Math.ceilDiv(SIZE, 64) * 64, cost.codesScored());
            case GRAPH -> assertEquals(SIZE, cost.codesScored());
            case WALK ->
                assertTrue(
                    cost.codesScored() > 100 && cost.codesScored() < 1.1 * SIZE, cost.toString());
          }
          if (storage != Storage.FLOATS) {
            assertTrue(cost.vectorsScored() >= K && cost.vectorsScored() < 500, cost.toString());
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOATS", "CODES", "GRAPH"})
  void aFilterOfFewCostsFew(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, SIZE, 32);
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(directory, storage.format(), vectors, SIMILARITY);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        Query filter = IntField.newRangeQuery(ID, 100, 119);
        assertEquals(new Pq32SearchStats(1, 0, 0, 0, 0, 0, 20), search(reader, vectors[0], filter));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"CODES", "GRAPH"})
  void aFilterOfSomeScoresTheirCodes(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, SIZE, 32);
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(directory, storage.format(), vectors, SIMILARITY);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        Pq32SearchStats cost = search(reader, vectors[0], IntField.newRangeQuery(ID, 100, 599));
        assertEquals(
            new Pq32SearchStats(0, 0, 1, 0, 0, cost.codesScored(), cost.vectorsScored()), cost);
        // Blocks are scored whole.
        assertTrue(cost.codesScored() >= 500 && cost.codesScored() <= 2 * 3008, cost.toString());
        assertTrue(cost.vectorsScored() < 500, cost.toString());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void aSearchThatFailsCountsWithWhatItDid(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, SIZE, 32); // much to rerank
    try (FaultyReads directory = new FaultyReads(new ByteBuffersDirectory())) {
      VectorIndex.write(directory, storage.format(), vectors, SIMILARITY);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        Pq32SearchStats complete = search(reader, vectors[0], null);
        AtomicInteger left = new AtomicInteger(storage == Storage.FLOATS ? 100 : 30);
        directory.before(
            file -> {
              if (file.endsWith(".vec") && left.decrementAndGet() < 0) {
                throw new IOException("unreadable");
              }
            });
        Pq32SearchStats before = Pq32SearchStats.of(reader, FIELD);
        assertThrows(IOException.class, () -> search(reader, vectors[0], null));
        Pq32SearchStats failed = Pq32SearchStats.of(reader, FIELD).minus(before);
        assertEquals(
            new Pq32SearchStats(
                complete.exactScans(),
                complete.codeScans(),
                complete.rowScans(),
                complete.graphWalks(),
                0,
                failed.codesScored(),
                storage == Storage.FLOATS ? 64 : 20), // what was scored at once before
            failed);
        assertEquals(storage == Storage.FLOATS, failed.codesScored() == 0);
        assertTrue(failed.codesScored() <= complete.codesScored(), failed.toString());
      }
    }
  }

  @Test
  void countsOverAllSegments(Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, SIZE, 32);
    try (Directory directory = new ByteBuffersDirectory()) {
      for (Storage storage : Storage.values()) {
        try (IndexWriter writer =
            new IndexWriter(directory, VectorIndex.writerConfig(storage.format()))) {
          VectorIndex.add(writer, vectors, 0, SIZE, SIMILARITY);
        }
      }
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        Pq32SearchStats cost = search(reader, vectors[0], null);
        assertEquals(
            new Pq32SearchStats(1, 1, 1, 1, 0, cost.codesScored(), cost.vectorsScored()), cost);
        // A reader around the segments sees the same.
        DirectoryReader wrapped = ExitableDirectoryReader.wrap(reader, () -> false);
        assertEquals(Pq32SearchStats.of(reader, FIELD), Pq32SearchStats.of(wrapped, FIELD));
        Pq32SearchStats ofOne = Pq32SearchStats.of(reader.leaves().get(0).reader(), FIELD);
        assertEquals(new Pq32SearchStats(1, 0, 0, 0, 0, 0, SIZE), ofOne);
      }
    }
  }

  @Test
  void countsNothingWhereThereIsNothingOfOurs(Random random) throws IOException {
    Pq32SearchStats none = new Pq32SearchStats(0, 0, 0, 0, 0, 0, 0);
    float[][] vectors = Vectors.gaussian(random, 100, 8);
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(directory, new Lucene99HnswVectorsFormat(), vectors, SIMILARITY);
      try (IndexWriter writer =
          new IndexWriter(directory, VectorIndex.writerConfig(Storage.CODES.format()))) {
        Document document = new Document();
        document.add(new KnnByteVectorField("bytes", new byte[] {1, 2}));
        writer.addDocument(document);
      }
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        assertEquals(none, search(reader, vectors[0], null));
        assertEquals(none, Pq32SearchStats.of(reader, "bytes"));
        assertEquals(none, Pq32SearchStats.of(reader, ID));
        assertEquals(none, Pq32SearchStats.of(reader, "unknown"));
      }
    }
  }
}
