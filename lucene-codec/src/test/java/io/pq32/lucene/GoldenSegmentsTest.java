package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.BruteForce;
import io.pq32.quantization.SeededRandom;
import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.apache.lucene.codecs.CodecUtil;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.perfield.PerFieldKnnVectorsFormat;
import org.apache.lucene.document.IntField;
import org.apache.lucene.index.CheckIndex;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.FieldInfo;
import org.apache.lucene.index.IndexFormatTooNewException;
import org.apache.lucene.index.IndexFormatTooOldException;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.SegmentCommitInfo;
import org.apache.lucene.index.SegmentInfos;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnByteVectorQuery;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexInput;
import org.apache.lucene.store.IndexOutput;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Indexes that were written once, by every version of the file format there is: they are read and
 * searched for as long as the format can be read.
 *
 * <p>{@code golden/version-N.zip} has two indexes (folders {@code blocks} and {@code rows}), each
 * what {@link SampleIndex} writes without every eleventh document, and beside their files {@code
 * expected}: queries and the hits that they had. A new version of the format gets a file of its
 * own, and one that has not been released yet a new file, by
 *
 * <pre>
 * mvn -pl lucene-codec -am test -Dtest=GoldenSegmentsTest#write -Dtests.golden=write
 * </pre>
 */
@ExtendWith(SeededRandom.class)
class GoldenSegmentsTest {
  private static final String EXPECTED = "expected";
  private static final int K = 10;
  private static final int QUERIES = 4; // of each field
  private static final int FILTERED = 200; // documents below this number, for every other query

  private static String resource(int version) {
    return "golden/version-" + version + ".zip";
  }

  private static String folder(CodesMeta.Arrangement arrangement) {
    return switch (arrangement) {
      case BLOCKS -> "blocks/";
      case ROWS -> "rows/";
    };
  }

  /** Reads an index, and what is expected of it as a file of its own, which Lucene ignores. */
  static Directory read(int version, CodesMeta.Arrangement arrangement) throws IOException {
    InputStream resource =
        GoldenSegmentsTest.class.getClassLoader().getResourceAsStream(resource(version));
    assertNotNull(resource, "no golden segments of format version " + version + ": see the class");
    Directory directory = new ByteBuffersDirectory();
    String folder = folder(arrangement);
    try (ZipInputStream in = new ZipInputStream(resource)) {
      for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        if (entry.getName().startsWith(folder)) {
          byte[] bytes = in.readAllBytes();
          String name = entry.getName().substring(folder.length());
          try (IndexOutput out = directory.createOutput(name, IOContext.DEFAULT)) {
            out.writeBytes(bytes, bytes.length);
          }
        }
      }
    }
    return directory;
  }

  /**
   * A query and its hits.
   *
   * @param filtered whether only the first documents are asked for
   */
  private record Expected(
      String field, float[] query, boolean filtered, int[] ids, float[] scores) {
    void write(DataOutputStream out) throws IOException {
      out.writeUTF(field);
      out.writeInt(query.length);
      for (float value : query) {
        out.writeFloat(value);
      }
      out.writeBoolean(filtered);
      out.writeInt(ids.length);
      for (int i = 0; i < ids.length; i++) {
        out.writeInt(ids[i]);
        out.writeFloat(scores[i]);
      }
    }

    static Expected read(DataInputStream in) throws IOException {
      String field = in.readUTF();
      float[] query = new float[in.readInt()];
      for (int i = 0; i < query.length; i++) {
        query[i] = in.readFloat();
      }
      boolean filtered = in.readBoolean();
      int[] ids = new int[in.readInt()];
      float[] scores = new float[ids.length];
      for (int i = 0; i < ids.length; i++) {
        ids[i] = in.readInt();
        scores[i] = in.readFloat();
      }
      return new Expected(field, query, filtered, ids, scores);
    }

    static Expected of(IndexReader reader, String field, float[] query, boolean filtered)
        throws IOException {
      ScoreDoc[] hits = search(reader, field, query, filtered);
      float[] scores = new float[hits.length];
      for (int i = 0; i < hits.length; i++) {
        scores[i] = hits[i].score;
      }
      return new Expected(field, query, filtered, VectorIndex.ids(reader, hits), scores);
    }

    void check(IndexReader reader) throws IOException {
      Expected found = of(reader, field, query, filtered);
      assertArrayEquals(ids, found.ids, field);
      for (int i = 0; i < scores.length; i++) { // sums of floats in another order on other machines
        assertEquals(scores[i], found.scores[i], 1e-5 * Math.abs(scores[i]), field);
      }
    }
  }

  private static ScoreDoc[] search(
      IndexReader reader, String field, float[] query, boolean filtered) throws IOException {
    Query filter = filtered ? IntField.newRangeQuery(VectorIndex.ID, 0, FILTERED - 1) : null;
    Query search;
    if (field.equals(SampleIndex.BYTES)) {
      byte[] bytes = new byte[query.length];
      for (int i = 0; i < bytes.length; i++) {
        bytes[i] = (byte) query[i];
      }
      search = new KnnByteVectorQuery(field, bytes, K, filter);
    } else {
      search = new KnnFloatVectorQuery(field, query, K, filter);
    }
    return new IndexSearcher(reader).search(search, K).scoreDocs;
  }

  private static void assertExpected(Directory golden, IndexReader reader) throws IOException {
    byte[] bytes = ReplacedFiles.read(golden, EXPECTED);
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
      int count = in.readInt();
      assertEquals((SampleIndex.FIELDS.size() + 1) * QUERIES, count);
      for (int i = 0; i < count; i++) {
        Expected.read(in).check(reader);
      }
    }
  }

  static Stream<Arguments> versions() {
    return IntStream.rangeClosed(SegmentFile.VERSION_START, SegmentFile.VERSION_CURRENT)
        .boxed()
        .flatMap(
            version ->
                Arrays.stream(CodesMeta.Arrangement.values())
                    .map(arrangement -> Arguments.of(version, arrangement)));
  }

  @ParameterizedTest
  @MethodSource("versions")
  void wereWrittenByThisFormatInTheirVersion(int version, CodesMeta.Arrangement arrangement)
      throws IOException {
    try (Directory golden = read(version, arrangement)) {
      SegmentInfos segments = SegmentInfos.readLatestCommit(golden);
      assertEquals(2, segments.size());
      for (SegmentCommitInfo segment : segments) {
        assertEquals("Lucene104", segment.info.getCodec().getName());
        assertTrue(segment.hasDeletions());
      }
      for (int i = 0; i < segments.size(); i++) {
        SegmentVectors segment = SegmentVectors.of(golden, i, new Random(i));
        int fields = 0;
        for (FieldInfo field : segment.fieldInfos()) {
          if (field.hasVectorValues()) {
            String format = field.getAttribute(PerFieldKnnVectorsFormat.PER_FIELD_FORMAT_KEY);
            assertEquals("Pq32HnswVectorsFormat", format, field.name);
            fields++;
          }
        }
        assertEquals(SampleIndex.FIELDS.size() + 1, fields);
        for (SegmentFile file : SegmentFile.values()) {
          try (IndexInput in = golden.openInput(segment.name(file), IOContext.DEFAULT)) {
            assertEquals(version, CodecUtil.checkHeader(in, file.codecName(), version, version));
          }
        }
        Pq32VectorsReader reader = segment.open(golden, SearchPlan.Costs.MEASURED);
        for (SampleIndex.FloatField field : SampleIndex.FIELDS) {
          QuantizedField codes = reader.quantizedOrNull(field.name());
          assertEquals(field.name().equals(SampleIndex.FEW), codes == null, field.name());
          if (codes != null) {
            assertEquals(arrangement, codes.codes().meta().arrangement());
            boolean product = field.similarity() == VectorSimilarityFunction.MAXIMUM_INNER_PRODUCT;
            assertEquals(product, codes.codes().meta().outliers().length > 0, field.name());
          }
        }
        reader.close();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("versions")
  void areReadAndSearched(int version, CodesMeta.Arrangement arrangement) throws IOException {
    try (Directory golden = read(version, arrangement);
        DirectoryReader reader = DirectoryReader.open(golden);
        CheckIndex check = new CheckIndex(golden)) {
      assertExpected(golden, reader);
      assertTrue(check.checkIndex().clean);
    }
  }

  /** What the current version makes of them gives the same hits. */
  @ParameterizedTest
  @MethodSource("versions")
  void areMerged(int version, CodesMeta.Arrangement arrangement) throws IOException {
    KnnVectorsFormat format = new Pq32HnswVectorsFormat(SampleIndex.config(arrangement));
    try (Directory golden = read(version, arrangement);
        Directory merged = new ByteBuffersDirectory()) {
      try (IndexWriter writer = new IndexWriter(merged, VectorIndex.mergingConfig(format))) {
        writer.addIndexes(golden);
        writer.forceMerge(1);
      }
      try (DirectoryReader reader = DirectoryReader.open(merged)) {
        assertEquals(1, reader.leaves().size());
        assertExpected(golden, reader);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aNewerVersionIsRefused(SegmentFile file) throws IOException {
    assertVersionRefused(file, SegmentFile.VERSION_CURRENT + 1, IndexFormatTooNewException.class);
  }

  @ParameterizedTest
  @EnumSource
  void anOlderVersionThanTheFirstIsRefused(SegmentFile file) throws IOException {
    assertVersionRefused(file, SegmentFile.VERSION_START - 1, IndexFormatTooOldException.class);
  }

  private static void assertVersionRefused(
      SegmentFile file, int version, Class<? extends IOException> type) throws IOException {
    try (Directory golden = read(SegmentFile.VERSION_CURRENT, CodesMeta.Arrangement.ROWS);
        Directory scratch = new ByteBuffersDirectory()) {
      SegmentVectors segment = SegmentVectors.of(golden, 0, new Random(1));
      String name = segment.name(file);
      byte[] bytes = segment.bytes(file);
      ByteBuffer.wrap(bytes).putInt(CodecUtil.headerLength(file.codecName()) - 4, version);
      byte[] other = ReplacedFiles.withChecksum(bytes);
      try (Directory files = new ReplacedFiles(golden, scratch, Map.of(name, other))) {
        IOException e = assertThrows(type, () -> DirectoryReader.open(files).close());
        assertTrue(
            e.getMessage().contains(": " + version + " (needs to be between"), e.getMessage());
        assertTrue(e.getMessage().contains(name), e.getMessage());
      }
    }
  }

  /** Regenerates the golden segments of the current version. */
  @Test
  @EnabledIfSystemProperty(named = "tests.golden", matches = "write")
  void write() throws IOException {
    Path target = Path.of("src/test/resources").resolve(resource(SegmentFile.VERSION_CURRENT));
    Files.createDirectories(target.getParent());
    Path zip = target.resolveSibling(target.getFileName() + ".new");
    try (ZipOutputStream out =
        new ZipOutputStream(new BufferedOutputStream(Files.newOutputStream(zip)))) {
      for (CodesMeta.Arrangement arrangement : CodesMeta.Arrangement.values()) {
        for (Map.Entry<String, byte[]> file : writeIndex(arrangement).entrySet()) {
          out.putNextEntry(new ZipEntry(folder(arrangement) + file.getKey()));
          out.write(file.getValue());
        }
      }
    }
    Files.move(zip, target, StandardCopyOption.REPLACE_EXISTING);
  }

  private static Map<String, byte[]> writeIndex(CodesMeta.Arrangement arrangement)
      throws IOException {
    Random random = new Random(32);
    SampleIndex sample = new SampleIndex(random);
    Map<String, byte[]> files = new TreeMap<>();
    try (Directory directory = new ByteBuffersDirectory()) {
      sample.write(directory, arrangement);
      IndexWriterConfig config =
          VectorIndex.writerConfig(new Pq32HnswVectorsFormat(SampleIndex.config(arrangement)));
      try (IndexWriter writer = new IndexWriter(directory, config)) {
        for (int id = 0; id < SampleIndex.SIZE; id += 11) {
          writer.deleteDocuments(IntField.newExactQuery(VectorIndex.ID, id));
        }
      }
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        files.put(EXPECTED, expected(reader, sample, random));
      }
      for (String name : directory.listAll()) {
        if (!name.equals(IndexWriter.WRITE_LOCK_NAME)) {
          files.put(name, ReplacedFiles.read(directory, name));
        }
      }
    }
    return files;
  }

  private static byte[] expected(IndexReader reader, SampleIndex sample, Random random)
      throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeInt((SampleIndex.FIELDS.size() + 1) * QUERIES);
      for (SampleIndex.FloatField field : SampleIndex.FIELDS) {
        for (int i = 0; i < QUERIES; i++) {
          boolean filtered = i % 2 == 1;
          Expected expected =
              Expected.of(reader, field.name(), sample.query(field, random), filtered);
          assertArrayEquals(nearest(sample, field, expected), expected.ids);
          expected.write(out);
        }
      }
      for (int i = 0; i < QUERIES; i++) {
        float[] query = {random.nextInt(100), random.nextInt(100), 1};
        Expected.of(reader, SampleIndex.BYTES, query, i % 2 == 1).write(out);
      }
    }
    return bytes.toByteArray();
  }

  /** The right hits: all machines and all versions to come should find them too. */
  private static int[] nearest(
      SampleIndex sample, SampleIndex.FloatField field, Expected expected) {
    float[][] vectors = new float[SampleIndex.SIZE][];
    Arrays.setAll(vectors, id -> id % 11 == 0 ? null : sample.vector(field, id));
    int limit = expected.filtered ? FILTERED : SampleIndex.SIZE;
    return BruteForce.top(
        SampleIndex.SIZE,
        K,
        id ->
            vectors[id] == null
                ? Double.NEGATIVE_INFINITY
                : field.similarity().compare(expected.query, vectors[id]),
        id -> id < limit && vectors[id] != null);
  }
}
