package io.pq32.lucene;

import static io.pq32.lucene.VectorIndex.FIELD;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.AdcTable;
import io.pq32.quantization.CooperativeTasks;
import io.pq32.quantization.Metric;
import io.pq32.quantization.PqLayout;
import io.pq32.quantization.PqTrainer;
import io.pq32.quantization.ProductQuantizer;
import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(SeededRandom.class)
class QueryTablesTest {
  private static ProductQuantizer train(float[][] vectors) throws IOException {
    return PqTrainer.train(
        Vectors.source(vectors),
        PqLayout.pq32(vectors[0].length),
        Metric.DOT_PRODUCT,
        1,
        CooperativeTasks.CALLER_ONLY);
  }

  @Test
  void aTableIsThatOfItsQueryWhateverCameBefore(Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 500, 40);
    ProductQuantizer quantizer = train(vectors);
    QueryTables tables = new QueryTables(quantizer);
    AdcTable expected = quantizer.newTable();
    for (int i = 0; i < 300; i++) {
      float[] query = vectors[random.nextInt(40)];
      QueryTables.Table table = tables.borrow(query);
      expected.fill(query);
      assertArrayEquals(expected.levels(), table.levels());
      assertEquals(expected.step(), table.step());
      tables.giveBack(table);
    }
  }

  @Test
  void equalQueriesInARowShareOne(Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 500, 40);
    QueryTables tables = new QueryTables(train(vectors));
    float[] query = vectors[3].clone();
    QueryTables.Table table = tables.borrow(query);
    assertSame(table, tables.borrow(vectors[3]));
    query[0] += 1; // the caller's array is the caller's
    assertSame(table, tables.borrow(vectors[3]));
    assertNotSame(table, tables.borrow(query));
  }

  @Test
  void threadsGetTheTablesOfTheirQueries(Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 500, 40);
    ProductQuantizer quantizer = train(vectors);
    byte[][] expected = new byte[100][];
    AdcTable scratch = quantizer.newTable();
    for (int i = 0; i < expected.length; i++) {
      scratch.fill(vectors[i]);
      expected[i] = scratch.levels().clone();
    }
    QueryTables tables = new QueryTables(quantizer);
    IntStream.range(0, 5000)
        .parallel()
        .forEach(
            i -> {
              QueryTables.Table table = tables.borrow(vectors[i % 100]);
              Thread.yield(); // others ask for it, and for those that take its place
              assertArrayEquals(expected[i % 100], table.levels());
              tables.giveBack(table);
            });
  }

  @Test
  void aTableInUseStaysAsItIs(Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 500, 40);
    QueryTables tables = new QueryTables(train(vectors));
    QueryTables.Table table = tables.borrow(vectors[0]);
    byte[] levels = table.levels().clone();
    tables.giveBack(tables.borrow(vectors[0])); // by one of two that use it
    for (int i = 1; i < 100; i++) { // until nobody remembers the first query
      tables.giveBack(tables.borrow(vectors[i]));
    }
    assertArrayEquals(levels, table.levels());
    assertNotSame(table, tables.borrow(vectors[0]));
  }

  @Test
  void tablesGivenBackAreUsedAgain(Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 500, 40);
    QueryTables tables = new QueryTables(train(vectors));
    Set<QueryTables.Table> distinct = Collections.newSetFromMap(new IdentityHashMap<>());
    for (int i = 0; i < 200; i++) {
      QueryTables.Table table = tables.borrow(vectors[i]);
      distinct.add(table);
      tables.giveBack(table);
    }
    assertTrue(distinct.size() < 20, distinct.size() + " tables");
  }

  @Test
  void segmentsOfOneCodebookShareThem(Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 1000, 16);
    VectorSimilarityFunction similarity = VectorSimilarityFunction.EUCLIDEAN;
    try (Directory directory = new ByteBuffersDirectory()) {
      try (IndexWriter writer =
          new IndexWriter(directory, VectorIndex.writerConfig(Storage.CODES.format()))) {
        VectorIndex.add(writer, vectors, 0, 1000, similarity);
        writer.flush();
        VectorIndex.add(writer, vectors, 0, 1000, similarity);
      }
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        QueryTables[] tables =
            reader.leaves().stream()
                .map(leaf -> VectorIndex.reader(leaf.reader(), FIELD))
                .map(
                    segment -> {
                      try {
                        return segment.quantizedOrNull(FIELD).codes().tables();
                      } catch (IOException e) {
                        throw new AssertionError(e);
                      }
                    })
                .toArray(QueryTables[]::new);
        assertEquals(2, tables.length, Arrays.toString(tables));
        assertSame(tables[0], tables[1]);
      }
    }
  }
}
