package io.pq32.lucene;

import static io.pq32.lucene.VectorIndex.FIELD;
import static io.pq32.lucene.VectorIndex.ID;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.BruteForce;
import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.IntPredicate;
import org.apache.lucene.codecs.Codec;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.lucene104.Lucene104Codec;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.IntField;
import org.apache.lucene.document.KnnByteVectorField;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.document.NumericDocValuesField;
import org.apache.lucene.index.CodecReader;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnByteVectorQuery;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.Sort;
import org.apache.lucene.search.SortField;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What happens to an index over time: vectors stay with their documents and are found. */
@ExtendWith(SeededRandom.class)
class LifeCycleTest {
  private static final VectorSimilarityFunction SIMILARITY = VectorSimilarityFunction.EUCLIDEAN;

  private static void assertFinds(
      IndexReader reader,
      String field,
      Map<Integer, float[]> byId,
      IntPredicate accepted,
      Query filter)
      throws IOException {
    IndexSearcher searcher = new IndexSearcher(reader);
    Integer[] ids = byId.keySet().stream().filter(id -> accepted.test(id)).toArray(Integer[]::new);
    int k = Math.min(10, ids.length);
    double recall = 0;
    int queries = 0;
    for (int q = 0; q < ids.length; q += Math.max(1, ids.length / 15)) {
      float[] query = byId.get(ids[q]);
      int[] nearest =
          Arrays.stream(
                  BruteForce.top(
                      ids.length, k, i -> -Vectors.squareDistance(query, byId.get(ids[i]))))
              .map(i -> ids[i])
              .toArray();
      ScoreDoc[] hits =
          searcher.search(new KnnFloatVectorQuery(field, query, 10, filter), 10).scoreDocs;
      assertEquals(k, hits.length);
      recall += BruteForce.recall(nearest, VectorIndex.ids(reader, hits));
      queries++;
    }
    assertTrue(recall / queries >= 0.95, field + ": recall " + recall / queries);
  }

  private static Map<Integer, float[]> byId(float[][] vectors) {
    Map<Integer, float[]> byId = new TreeMap<>();
    for (int id = 0; id < vectors.length; id++) {
      byId.put(id, vectors[id]);
    }
    return byId;
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void mergesSegmentsOfAnySizeWithDeletes(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 2500, 40);
    Map<Integer, float[]> byId = byId(vectors);
    try (Directory directory = new ByteBuffersDirectory()) {
      try (IndexWriter writer =
          new IndexWriter(directory, VectorIndex.mergingConfig(storage.format()))) {
        int[] ends = {1, 60, 61, 1200, 2000, 2500};
        int from = 0;
        for (int end : ends) {
          VectorIndex.add(writer, vectors, from, end, SIMILARITY);
          writer.flush();
          from = end;
        }
        for (int id = 0; id < 2500; id += 1 + random.nextInt(5)) {
          byId.remove(id);
          writer.deleteDocuments(IntField.newExactQuery(ID, id));
        }
        try (DirectoryReader reader = DirectoryReader.open(writer)) {
          VectorIndex.assertVectors(reader, FIELD, byId);
          assertFinds(reader, FIELD, byId, _ -> true, null);
        }
        writer.forceMerge(1);
        try (DirectoryReader reader = DirectoryReader.open(writer)) {
          assertEquals(1, reader.leaves().size());
          assertEquals(byId.size(), reader.maxDoc());
          VectorIndex.assertVectors(reader, FIELD, byId);
          assertFinds(reader, FIELD, byId, _ -> true, null);
        }
      }
      VectorIndex.check(directory);
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void updatesReplaceVectors(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 1500, 32);
    Map<Integer, float[]> byId = byId(vectors);
    try (Directory directory = new ByteBuffersDirectory()) {
      try (IndexWriter writer =
          new IndexWriter(directory, VectorIndex.mergingConfig(storage.format()))) {
        VectorIndex.add(writer, vectors, 0, vectors.length, SIMILARITY);
        writer.flush();
        float[][] others = Vectors.anisotropic(random, 300, 32);
        for (int i = 0; i < others.length; i++) {
          int id = 5 * i;
          byId.put(id, others[i]);
          writer.updateDocuments(
              IntField.newExactQuery(ID, id),
              List.of(VectorIndex.document(id, others[i], SIMILARITY)));
        }
        writer.forceMerge(1);
        try (DirectoryReader reader = DirectoryReader.open(writer)) {
          VectorIndex.assertVectors(reader, FIELD, byId);
          assertFinds(reader, FIELD, byId, _ -> true, null);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void anIndexSortMovesVectorsWithTheirDocuments(Storage storage, Random random)
      throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 2000, 32);
    Map<Integer, float[]> byId = byId(vectors);
    IndexWriterConfig config =
        VectorIndex.mergingConfig(storage.format())
            .setIndexSort(new Sort(new SortField("order", SortField.Type.LONG)));
    try (Directory directory = new ByteBuffersDirectory()) {
      try (IndexWriter writer = new IndexWriter(directory, config)) {
        for (int id = 0; id < vectors.length; id++) {
          Document document = VectorIndex.document(id, vectors[id], SIMILARITY);
          document.add(new NumericDocValuesField("order", random.nextLong()));
          writer.addDocument(document);
          if (id % 800 == 799) {
            writer.flush();
          }
        }
        try (DirectoryReader reader = DirectoryReader.open(writer)) {
          VectorIndex.assertVectors(reader, FIELD, byId);
          assertFinds(reader, FIELD, byId, _ -> true, null);
        }
        writer.forceMerge(1);
        try (DirectoryReader reader = DirectoryReader.open(writer)) {
          VectorIndex.assertVectors(reader, FIELD, byId);
          assertFinds(reader, FIELD, byId, _ -> true, null);
        }
      }
      VectorIndex.check(directory);
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void sparseFieldsKeepTheirDocuments(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 3000, 32);
    Map<Integer, float[]> byId = byId(vectors);
    byId.keySet().removeIf(id -> id % 7 > 3 || id > 1000 && id < 1600);
    try (Directory directory = new ByteBuffersDirectory()) {
      try (IndexWriter writer =
          new IndexWriter(directory, VectorIndex.mergingConfig(storage.format()))) {
        for (int id = 0; id < vectors.length; id++) {
          Document document = new Document();
          document.add(new IntField(ID, id, Field.Store.NO));
          if (byId.containsKey(id)) {
            document.add(new KnnFloatVectorField(FIELD, vectors[id], SIMILARITY));
          }
          writer.addDocument(document);
          if (id == 1100 || id == 1500) { // the segment between them has no vector at all
            writer.flush();
          }
        }
        Query filter = IntField.newRangeQuery(ID, 200, 2600);
        IntPredicate accepted = id -> id >= 200 && id <= 2600;
        try (DirectoryReader reader = DirectoryReader.open(writer)) {
          VectorIndex.assertVectors(reader, FIELD, byId);
          assertFinds(reader, FIELD, byId, _ -> true, null);
          assertFinds(reader, FIELD, byId, accepted, filter);
        }
        writer.forceMerge(1);
        try (DirectoryReader reader = DirectoryReader.open(writer)) {
          VectorIndex.assertVectors(reader, FIELD, byId);
          assertFinds(reader, FIELD, byId, _ -> true, null);
          assertFinds(reader, FIELD, byId, accepted, filter);
        }
      }
      VectorIndex.check(directory);
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void fieldsOfAllKindsShareASegment(Storage storage, Random random) throws IOException {
    float[][] first = Vectors.anisotropic(random, 1500, 24);
    float[][] second = Vectors.clustered(random, 1500, 70, 10, 0.5);
    byte[][] bytes = new byte[1500][16];
    for (byte[] vector : bytes) {
      random.nextBytes(vector);
    }
    try (Directory directory = new ByteBuffersDirectory()) {
      try (IndexWriter writer =
          new IndexWriter(directory, VectorIndex.mergingConfig(storage.format()))) {
        for (int id = 0; id < 1500; id++) {
          Document document = new Document();
          document.add(new IntField(ID, id, Field.Store.NO));
          // Names that contain each other must not mix their files.
          document.add(new KnnFloatVectorField("a", first[id], SIMILARITY));
          document.add(new KnnByteVectorField("a_bytes", bytes[id], SIMILARITY));
          if (id % 2 == 0) {
            document.add(new KnnFloatVectorField("a_b", second[id], SIMILARITY));
          }
          writer.addDocument(document);
          if (id == 700) {
            writer.flush();
          }
        }
        Map<Integer, float[]> even = byId(second);
        even.keySet().removeIf(id -> id % 2 == 1);
        for (boolean merged : new boolean[] {false, true}) {
          if (merged) {
            writer.forceMerge(1);
          }
          try (DirectoryReader reader = DirectoryReader.open(writer)) {
            VectorIndex.assertVectors(reader, "a", byId(first));
            assertFinds(reader, "a", byId(first), _ -> true, null);
            VectorIndex.assertVectors(reader, "a_b", even);
            assertFinds(reader, "a_b", even, _ -> true, null);
            assertFindsBytes(reader, bytes);
          }
        }
      }
      VectorIndex.check(directory);
    }
  }

  private static void assertFindsBytes(DirectoryReader reader, byte[][] bytes) throws IOException {
    for (int id = 0; id < bytes.length; id += 100) {
      ScoreDoc[] hits =
          new IndexSearcher(reader)
              .search(new KnnByteVectorQuery("a_bytes", bytes[id], 5), 5)
              .scoreDocs;
      assertEquals(5, hits.length);
      assertEquals(id, VectorIndex.ids(reader, hits)[0]);
      assertEquals(1, hits[0].score);
    }
  }

  @Test
  void formatsOfTwoConfigurationsShareASegment(Random random) throws IOException {
    Map<String, KnnVectorsFormat> formats =
        Map.of(
            "a",
            Storage.CODES.format(),
            "b",
            new Pq32HnswVectorsFormat(Storage.graph().withBytesPerVector(16)));
    Codec codec =
        new Lucene104Codec() {
          @Override
          public KnnVectorsFormat getKnnVectorsFormatForField(String field) {
            return formats.get(field.substring(0, 1));
          }
        };
    float[][] vectors = Vectors.anisotropic(random, 400, 24);
    try (Directory directory = new ByteBuffersDirectory()) {
      try (IndexWriter writer =
          new IndexWriter(
              directory, VectorIndex.mergingConfig(Storage.FLOATS.format()).setCodec(codec))) {
        for (int id = 0; id < vectors.length; id++) {
          Document document = new Document();
          document.add(new IntField(ID, id, Field.Store.NO));
          for (String name : formats.keySet()) {
            document.add(new KnnFloatVectorField(name, vectors[id], SIMILARITY));
            byte[] bytes = {(byte) id, (byte) (id >> 8), (byte) name.charAt(0)};
            document.add(new KnnByteVectorField(name + "_bytes", bytes, SIMILARITY));
          }
          writer.addDocument(document);
          if (id == 150) {
            writer.flush();
          }
        }
        writer.forceMerge(1);
      }
      VectorIndex.check(directory);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        LeafReader leaf = reader.leaves().get(0).reader();
        for (String name : formats.keySet()) {
          VectorIndex.assertVectors(reader, name, byId(vectors));
          assertFinds(reader, name, byId(vectors), _ -> true, null);
          int codeBytes = name.equals("a") ? 32 : 16;
          QuantizedField codes = VectorIndex.reader(leaf, name).quantizedOrNull(name);
          assertEquals(codeBytes, codes.codes().meta().layout().codeBytes());
          byte[] bytes = {77, 1, (byte) name.charAt(0)};
          var query = new KnnByteVectorQuery(name + "_bytes", bytes, 1);
          ScoreDoc[] hits = new IndexSearcher(reader).search(query, 1).scoreDocs;
          assertEquals(333, VectorIndex.ids(reader, hits)[0]);
        }
      }
    }
  }

  @Test
  void theWrongEncodingIsTheCallersMistake(Random random) throws IOException {
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(
          directory, Storage.CODES.format(), Vectors.gaussian(random, 300, 8), SIMILARITY);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        Pq32VectorsReader vectors = VectorIndex.reader(reader.leaves().get(0).reader(), FIELD);
        var e =
            assertThrows(IllegalArgumentException.class, () -> vectors.getByteVectorValues(FIELD));
        assertEquals("field \"vector\" has vectors of encoding FLOAT32, not BYTE", e.getMessage());
        e =
            assertThrows(
                IllegalArgumentException.class, () -> vectors.getFloatVectorValues("absent"));
        assertEquals("field \"absent\" has no vectors in this segment", e.getMessage());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void addIndexesTakesFoldersAndReaders(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 2400, 32);
    Map<Integer, float[]> byId = byId(vectors);
    try (Directory source = new ByteBuffersDirectory();
        Directory target = new ByteBuffersDirectory()) {
      try (IndexWriter writer =
          new IndexWriter(source, VectorIndex.writerConfig(storage.format()))) {
        VectorIndex.add(writer, vectors, 0, 800, SIMILARITY);
      }
      try (IndexWriter writer =
          new IndexWriter(target, VectorIndex.mergingConfig(storage.format()))) {
        VectorIndex.add(writer, vectors, 1600, 2400, SIMILARITY);
        writer.addIndexes(source);
        try (IndexWriter other =
            new IndexWriter(
                source,
                VectorIndex.writerConfig(storage.format())
                    .setOpenMode(IndexWriterConfig.OpenMode.CREATE))) {
          VectorIndex.add(other, vectors, 800, 1600, SIMILARITY);
          other.deleteDocuments(IntField.newRangeQuery(ID, 900, 950));
        }
        byId.keySet().removeIf(id -> id >= 900 && id <= 950);
        try (DirectoryReader reader = DirectoryReader.open(source)) {
          writer.addIndexes(
              reader.leaves().stream()
                  .map(leaf -> (CodecReader) leaf.reader())
                  .toArray(CodecReader[]::new));
        }
        try (DirectoryReader reader = DirectoryReader.open(writer)) {
          VectorIndex.assertVectors(reader, FIELD, byId);
          assertFinds(reader, FIELD, byId, _ -> true, null);
        }
        writer.forceMerge(1);
        try (DirectoryReader reader = DirectoryReader.open(writer)) {
          VectorIndex.assertVectors(reader, FIELD, byId);
          assertFinds(reader, FIELD, byId, _ -> true, null);
        }
      }
      VectorIndex.check(target);
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void aConfigurationMayChangeMidLife(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 2400, 64);
    try (Directory directory = new ByteBuffersDirectory()) {
      KnnVectorsFormat[] formats = {
        storage.format(),
        new Pq32HnswVectorsFormat(Storage.codes().withBytesPerVector(64)),
        Storage.FLOATS.format(),
        new Pq32HnswVectorsFormat(Storage.graph().withBytesPerVector(16).withGraph(4, 10))
      };
      for (int i = 0; i < formats.length; i++) {
        try (IndexWriter writer =
            new IndexWriter(directory, VectorIndex.writerConfig(formats[i]))) {
          VectorIndex.add(writer, vectors, 600 * i, 600 * (i + 1), SIMILARITY);
        }
      }
      try (IndexWriter writer =
          new IndexWriter(directory, VectorIndex.mergingConfig(storage.format()))) {
        try (DirectoryReader reader = DirectoryReader.open(writer)) {
          assertEquals(4, reader.leaves().size());
          assertFinds(reader, FIELD, byId(vectors), _ -> true, null);
        }
        writer.forceMerge(1);
        try (DirectoryReader reader = DirectoryReader.open(writer)) {
          VectorIndex.assertVectors(reader, FIELD, byId(vectors));
          assertFinds(reader, FIELD, byId(vectors), _ -> true, null);
          QuantizedField field =
              VectorIndex.reader(reader.leaves().get(0).reader(), FIELD).quantizedOrNull(FIELD);
          if (storage == Storage.FLOATS) {
            assertNull(field);
          } else {
            assertEquals(32, field.codes().meta().layout().codeBytes());
            assertEquals(
                storage == Storage.GRAPH || storage == Storage.WALK, field.graph() != null);
          }
        }
      }
      VectorIndex.check(directory);
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void deletingAllLeavesNothingBehind(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 600, 32);
    try (Directory directory = new ByteBuffersDirectory()) {
      try (IndexWriter writer =
          new IndexWriter(directory, VectorIndex.mergingConfig(storage.format()))) {
        VectorIndex.add(writer, vectors, 0, 600, SIMILARITY);
        Document bare = new Document(); // keeps the segment, so that the field has no vector left
        writer.addDocument(bare);
        writer.commit();
        writer.deleteDocuments(IntField.newRangeQuery(ID, 0, 600));
        writer.forceMerge(1);
        try (DirectoryReader reader = DirectoryReader.open(writer)) {
          assertEquals(1, reader.maxDoc());
          ScoreDoc[] hits =
              new IndexSearcher(reader)
                  .search(new KnnFloatVectorQuery(FIELD, vectors[0], 5), 5)
                  .scoreDocs;
          assertEquals(0, hits.length);
        }
        VectorIndex.add(writer, vectors, 0, 600, SIMILARITY);
        writer.forceMerge(1);
        try (DirectoryReader reader = DirectoryReader.open(writer)) {
          VectorIndex.assertVectors(reader, FIELD, byId(vectors));
          assertFinds(reader, FIELD, byId(vectors), _ -> true, null);
        }
      }
      VectorIndex.check(directory);
    }
  }

  @Test
  void segmentsOfOneDocumentMerge(Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 150, 16);
    for (Storage storage : Storage.values()) {
      try (Directory directory = new ByteBuffersDirectory()) {
        try (IndexWriter writer =
            new IndexWriter(directory, VectorIndex.mergingConfig(storage.format()))) {
          for (int id = 0; id < vectors.length; id++) {
            VectorIndex.add(writer, vectors, id, id + 1, SIMILARITY);
            writer.flush();
          }
          try (DirectoryReader reader = DirectoryReader.open(writer)) {
            assertFalse(reader.leaves().size() < 150);
            assertFinds(reader, FIELD, byId(vectors), _ -> true, null);
          }
          writer.forceMerge(1);
          try (DirectoryReader reader = DirectoryReader.open(writer)) {
            VectorIndex.assertVectors(reader, FIELD, byId(vectors));
            assertFinds(reader, FIELD, byId(vectors), _ -> true, null);
          }
        }
        VectorIndex.check(directory);
      }
    }
  }
}
