package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.Effort;
import io.pq32.quantization.PqLayout;
import io.pq32.quantization.SeededRandom;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.lucene.codecs.CodecUtil;
import org.apache.lucene.index.CheckIndex;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.FieldInfo;
import org.apache.lucene.index.FieldInfos;
import org.apache.lucene.index.IndexFormatTooNewException;
import org.apache.lucene.index.IndexFormatTooOldException;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexInput;
import org.apache.lucene.store.IndexOutput;
import org.apache.lucene.store.MMapDirectory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Damaged files: the damage is found, and where only their checksums could tell and do not, what
 * comes is an answer or a clean exception. Never another exception, a hang, a huge allocation or
 * the end of the JVM: files are mapped.
 */
@ExtendWith(SeededRandom.class)
@Timeout(value = 1800, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class CorruptionTest {
  private static final List<SegmentFile> METAS =
      List.of(SegmentFile.CODES_META, SegmentFile.GRAPH_META);
  private static final List<SegmentFile> DATA = List.of(SegmentFile.CODES, SegmentFile.GRAPH);

  @TempDir Path folder;
  private Directory scratch;

  @BeforeEach
  void open() throws IOException {
    scratch = new MMapDirectory(folder.resolve("scratch"));
  }

  @AfterEach
  void close() throws IOException {
    scratch.close();
  }

  private Directory write(String name, CodesMeta.Arrangement arrangement, Random random)
      throws IOException {
    Directory directory = new MMapDirectory(folder.resolve(name));
    new SampleIndex(random).write(directory, arrangement);
    return directory;
  }

  private ReplacedFiles replaced(SegmentVectors segment, SegmentFile file, byte[] bytes)
      throws IOException {
    return new ReplacedFiles(segment.directory(), scratch, Map.of(segment.name(file), bytes));
  }

  private SegmentVectors.Look look(SegmentVectors segment, SegmentFile file, byte[] bytes)
      throws IOException {
    return look(segment, file, bytes, SegmentVectors::look);
  }

  private SegmentVectors.Look look(
      SegmentVectors segment,
      SegmentFile file,
      byte[] bytes,
      BiFunction<SegmentVectors, Directory, SegmentVectors.Look> how)
      throws IOException {
    try (ReplacedFiles files = replaced(segment, file, bytes)) {
      return how.apply(segment, files);
    } catch (RuntimeException | AssertionError e) {
      byte[] good = segment.bytes(file);
      int at = Arrays.mismatch(good, bytes);
      throw new AssertionError(
          file + " of " + bytes.length + " bytes, of " + good.length + ", differs at " + at, e);
    }
  }

  /** Whether an exception says that a file is not what it should be. */
  static boolean isRefusal(IOException e) {
    return e instanceof CorruptIndexException
        || e instanceof IndexFormatTooNewException
        || e instanceof IndexFormatTooOldException;
  }

  /** A complaint of the reader: corrupt, and where. */
  private static void assertSaysWhere(IOException e, String file) {
    assertTrue(isRefusal(e), e::toString);
    assertTrue(e.getMessage().contains(file), e.getMessage());
  }

  /** Values to put where another one was: in the short form those that differ most. */
  private static int[] others(byte value) {
    if (Effort.of(0, 1) == 1) {
      return IntStream.range(0, 256).filter(i -> i != (value & 0xFF)).toArray();
    }
    return IntStream.of(0, value ^ 1, value ^ 0x10, value ^ 0x80, value + 1, value - 1, 0x7F, 0xFF)
        .map(i -> i & 0xFF)
        .filter(i -> i != (value & 0xFF))
        .distinct()
        .toArray();
  }

  @ParameterizedTest
  @EnumSource
  void anyByteOfAMetaFileIsCoveredByItsChecksum(CodesMeta.Arrangement arrangement, Random random)
      throws IOException {
    try (Directory directory = write("index", arrangement, random)) {
      SegmentVectors segment = SegmentVectors.of(directory, 0, random);
      for (SegmentFile file : METAS) {
        byte[] bytes = segment.bytes(file);
        for (int i = 0; i < bytes.length; i++) {
          for (int other : others(bytes[i])) {
            byte[] damaged = bytes.clone();
            damaged[i] = (byte) other;
            SegmentVectors.Look look = look(segment, file, damaged);
            assertFalse(look.opened(), file + " at " + i + " with " + other);
            assertSaysWhere(look.complaints().getFirst(), segment.name(file));
          }
        }
      }
    }
  }

  /**
   * With its checksum put right, a damaged meta file is refused for what it says, or it says
   * nothing that a right answer depends on.
   */
  @ParameterizedTest
  @EnumSource
  void whatAMetaFileSaysIsChecked(CodesMeta.Arrangement arrangement, Random random)
      throws IOException {
    try (Directory directory = write("index", arrangement, random)) {
      SegmentVectors segment = SegmentVectors.of(directory, 0, random);
      List<String> answers = segment.glance(directory).answers();
      int damages = 0;
      int refused = 0;
      for (SegmentFile file : METAS) {
        byte[] bytes = segment.bytes(file);
        int header = segment.headerLength(file);
        BitSet unchecked = new BitSet(); // bytes that may be others
        for (int i = 0; i < bytes.length - Long.BYTES; i++) {
          for (int other : others(bytes[i])) {
            byte[] damaged = bytes.clone();
            damaged[i] = (byte) other;
            SegmentVectors.Look look =
                look(segment, file, ReplacedFiles.withChecksum(damaged), SegmentVectors::glance);
            damages++;
            if (look.isClean()) {
              unchecked.set(i);
              // A graph has entries at any stride: another one changes where walks start.
              if (file == SegmentFile.CODES_META) {
                assertEquals(answers, look.answers(), file + " at " + i + " with " + other);
              }
            } else {
              refused++;
              for (IOException e : look.complaints()) {
                assertTrue(isRefusal(e), e::toString);
                if (i >= header && i < bytes.length - CodecUtil.footerLength()) {
                  assertSaysWhatAndWhere(e);
                }
              }
            }
          }
        }
        if (file == SegmentFile.CODES_META) {
          // Of all that is said of a field, nothing tells what its distortion should be, nor which
          // vectors are outliers: others are scored in vain.
          int fields = SampleIndex.FIELDS.size() - 1; // with codes
          int most = fields * Float.BYTES + outliers(segment, directory);
          assertTrue(unchecked.cardinality() <= most, unchecked::toString);
        }
      }
      Figures.print("%s, metas: %d of %d damages refused", arrangement, refused, damages);
      assertTrue(refused >= 0.9 * damages, refused + " of " + damages);
    }
  }

  /** How many a segment has, whose ordinals take a byte each. */
  private static int outliers(SegmentVectors segment, Directory directory) throws IOException {
    int count = 0;
    try (Pq32VectorsReader reader = segment.open(directory, SearchPlan.Costs.MEASURED)) {
      for (SampleIndex.FloatField field : SampleIndex.FIELDS) {
        QuantizedField codes = reader.quantizedOrNull(field.name());
        count += codes == null ? 0 : codes.codes().meta().outliers().length;
      }
    }
    return count;
  }

  /** Names a field or its number, what was expected, what is there, and a file of the segment. */
  private static void assertSaysWhatAndWhere(IOException e) {
    String message = e.getMessage();
    if (message.startsWith("checksum status indeterminate")) { // Lucene's, the footer was read into
      message = e.getSuppressed()[0].getMessage();
    }
    assertTrue(message.contains("field"), message);
    assertTrue(message.contains(" should "), message);
    assertTrue(message.matches("(?s).*\\.(vemq|veq|vem|vex)\\b.*"), message);
  }

  @ParameterizedTest
  @EnumSource
  void damagedDataIsFoundByTheChecksum(CodesMeta.Arrangement arrangement, Random random)
      throws IOException {
    try (Directory directory = write("index", arrangement, random)) {
      SegmentVectors segment = SegmentVectors.of(directory, 0, random);
      for (SegmentFile file : DATA) {
        byte[] bytes = segment.bytes(file);
        int damages = 0;
        for (int i = 0; i < bytes.length; i += step(segment, file, i, 101, 8, random)) {
          byte[] damaged = bytes.clone();
          damaged[i] = damaged[i] == 0 || random.nextBoolean() ? (byte) ~damaged[i] : 0;
          assertNotIntact(segment, file, damaged);
          damages++;
        }
        Figures.print("%s, %s: %d damages found", arrangement, file, damages);
      }
    }
  }

  /** Of what is too long to be read at opening, at least the end is looked at. */
  @ParameterizedTest
  @EnumSource
  void aDamagedFooterIsFoundAtOpening(CodesMeta.Arrangement arrangement, Random random)
      throws IOException {
    try (Directory directory = write("index", arrangement, random)) {
      SegmentVectors segment = SegmentVectors.of(directory, 0, random);
      for (SegmentFile file : DATA) {
        byte[] bytes = segment.bytes(file);
        // All but the checksum, a CRC-32 in eight bytes.
        for (int i = bytes.length - CodecUtil.footerLength(); i < bytes.length - 4; i++) {
          byte[] damaged = bytes.clone();
          damaged[i] = (byte) ~damaged[i];
          SegmentVectors.Look look = look(segment, file, damaged);
          assertFalse(look.opened(), file + " at " + i);
          assertSaysWhere(look.complaints().getFirst(), segment.name(file));
        }
      }
    }
  }

  /** Hits would still have exact scores: only how many of the nearest they are would suffer. */
  @ParameterizedTest
  @EnumSource
  void aCodebookThatIsNotTheOneOfTheCodesIsRefused(CodesMeta.Arrangement arrangement, Random random)
      throws IOException {
    try (Directory directory = write("index", arrangement, random)) {
      SegmentVectors segment = SegmentVectors.of(directory, 0, random);
      CodesMeta.Codes meta;
      try (Pq32VectorsReader reader = segment.open(directory, SearchPlan.Costs.MEASURED)) {
        meta = reader.quantizedOrNull("euclidean").codes().meta();
      }
      for (int round = 0; round < 8; round++) {
        byte[] damaged = segment.bytes(SegmentFile.CODES);
        int at = (int) meta.codebookOffset() + random.nextInt((int) meta.codebookLength());
        damaged[at] ^= (byte) (1 << random.nextInt(Byte.SIZE));
        SegmentVectors.Look look =
            look(
                segment,
                SegmentFile.CODES,
                ReplacedFiles.withChecksum(damaged),
                SegmentVectors::glance);
        assertTrue(look.opened());
        assertFalse(look.isClean(), "damaged at " + at);
        for (IOException e : look.complaints()) {
          String what = "field \"euclidean\": identity of the codebook should be ";
          assertTrue(e.getMessage().contains(what + meta.codebookId()), e.getMessage());
        }
      }
    }
  }

  /** No codebook would ever be taken to have drifted from such, or each always. */
  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, -0.1f})
  void aDistortionThatIsNoShareIsRefused(float distortion, Random random) throws IOException {
    try (Directory directory = write("index", CodesMeta.Arrangement.BLOCKS, random)) {
      FieldInfos fields = SegmentVectors.of(directory, 0, random).fieldInfos();
      FieldInfo field = fields.fieldInfo("euclidean");
      try (IndexOutput out = scratch.createOutput("meta", IOContext.DEFAULT)) {
        new CodesMeta.Codes(
                field.number,
                Similarity.EUCLIDEAN,
                PqLayout.pq32(field.getVectorDimension()),
                1,
                CodesMeta.Arrangement.BLOCKS,
                "00".repeat(16),
                distortion,
                0,
                0,
                new int[0])
            .write(out);
      }
      try (IndexInput in = scratch.openInput("meta", IOContext.DEFAULT)) {
        var e = assertThrows(CorruptIndexException.class, () -> CodesMeta.readNext(in, fields));
        String what = "field \"euclidean\": distortion should be a finite share and is ";
        assertTrue(e.getMessage().contains(what + distortion), e.getMessage());
      }
    }
  }

  static Stream<Arguments> wrongOutliers() {
    return Stream.of(
        Arguments.of(
            "product", new int[] {8, 8}, "ordinal of an outlier should be 9 to 99 and is 8"),
        Arguments.of(
            "product", new int[] {100}, "ordinal of an outlier should be 0 to 99 and is 100"),
        Arguments.of("product", new int[65], "count of outliers should be 0 to 64 and is 65"),
        Arguments.of("euclidean", new int[] {1}, "count of outliers should be 0 and is 1"));
  }

  @ParameterizedTest
  @MethodSource("wrongOutliers")
  void outliersThatCannotBeAreRefused(String name, int[] outliers, String complaint, Random random)
      throws IOException {
    try (Directory directory = write("index", CodesMeta.Arrangement.BLOCKS, random)) {
      FieldInfos fields = SegmentVectors.of(directory, 0, random).fieldInfos();
      FieldInfo field = fields.fieldInfo(name);
      try (IndexOutput out = scratch.createOutput("meta", IOContext.DEFAULT)) {
        new CodesMeta.Codes(
                field.number,
                Similarity.of(field.getVectorSimilarityFunction()),
                PqLayout.pq32(field.getVectorDimension()),
                100,
                CodesMeta.Arrangement.BLOCKS,
                "00".repeat(16),
                0,
                0,
                0,
                outliers)
            .write(out);
      }
      try (IndexInput in = scratch.openInput("meta", IOContext.DEFAULT)) {
        var e = assertThrows(CorruptIndexException.class, () -> CodesMeta.readNext(in, fields));
        String what = "field \"" + name + "\": " + complaint;
        assertTrue(e.getMessage().contains(what), e.getMessage());
      }
    }
  }

  static Stream<Arguments> numbersThatNobodyWrites() {
    byte[] endless = new byte[11]; // of which more than 64 bits would be left out
    Arrays.fill(endless, 0, 10, (byte) 0x80);
    endless[10] = 1;
    return Stream.of(
        Arguments.of(endless, "a number that goes on after nine bytes"),
        Arguments.of(new byte[] {(byte) 0x83, 0}, "a number with a last byte that adds nothing"));
  }

  /** The second one could hide a changed byte. */
  @ParameterizedTest
  @MethodSource("numbersThatNobodyWrites")
  void aNumberThatNobodyWritesIsRefused(byte[] number, String what, Random random)
      throws IOException {
    try (Directory directory = write("index", CodesMeta.Arrangement.BLOCKS, random)) {
      FieldInfo field = SegmentVectors.of(directory, 0, random).fieldInfos().fieldInfo("euclidean");
      try (IndexOutput out = scratch.createOutput("number", IOContext.DEFAULT)) {
        out.writeBytes(number, number.length);
      }
      try (IndexInput in = scratch.openInput("number", IOContext.DEFAULT)) {
        var e =
            assertThrows(
                CorruptIndexException.class,
                () -> new MetaEntry(in, field).readVInt("count", 1, 100));
        assertSaysWhere(e, "number");
        String complaint = "field \"euclidean\": count should be 1 to 100 and is " + what;
        assertTrue(e.getMessage().contains(complaint), e.getMessage());
      }
    }
  }

  /** All of header and footer, and some of what lies between. */
  private static int step(
      SegmentVectors segment, SegmentFile file, int at, int everyBuild, int longForm, Random random)
      throws IOException {
    int header = segment.headerLength(file);
    int footer = segment.bytes(file).length - CodecUtil.footerLength();
    int most = Effort.of(everyBuild, longForm);
    return at < header || at + 2 * most >= footer ? 1 : 1 + random.nextInt(2 * most - 1);
  }

  private void assertNotIntact(SegmentVectors segment, SegmentFile file, byte[] bytes)
      throws IOException {
    try (ReplacedFiles files = replaced(segment, file, bytes)) {
      IOException e =
          assertThrows(
              IOException.class,
              () -> {
                try (Pq32VectorsReader reader = segment.open(files, SearchPlan.Costs.MEASURED)) {
                  reader.checkIntegrity();
                }
              });
      assertSaysWhere(e, segment.name(file));
    }
  }

  @ParameterizedTest
  @EnumSource
  void damagedDataWithARightChecksumGivesHitsOrACleanException(
      CodesMeta.Arrangement arrangement, Random random) throws IOException {
    try (Directory directory = write("index", arrangement, random)) {
      SegmentVectors segment = SegmentVectors.of(directory, 0, random);
      for (SegmentFile file : DATA) {
        byte[] bytes = segment.bytes(file);
        int damages = 0;
        int refused = 0;
        for (int i = 0; i < bytes.length; i += step(segment, file, i, 499, 8, random)) {
          byte[] damaged = bytes.clone();
          int length = random.nextInt(4) > 0 ? 1 : 1 + random.nextInt(200);
          for (int j = i; j < Math.min(i + length, bytes.length - Long.BYTES); j++) {
            damaged[j] = (byte) random.nextInt(256);
          }
          SegmentVectors.Look look = look(segment, file, ReplacedFiles.withChecksum(damaged));
          for (IOException e : look.complaints()) {
            assertSaysWhere(e, segment.name(file));
            if (look.opened()) {
              assertSaysWhatAndWhere(e);
            }
          }
          damages++;
          refused += look.isClean() ? 0 : 1;
        }
        Figures.print("%s, %s: %d of %d damages refused", arrangement, file, refused, damages);
        assertTrue(refused > 0, file + ": headers are checked");
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void shortenedAndLongerFilesAreRefused(CodesMeta.Arrangement arrangement, Random random)
      throws IOException {
    try (Directory directory = write("index", arrangement, random)) {
      SegmentVectors segment = SegmentVectors.of(directory, 0, random);
      for (SegmentFile file : SegmentFile.values()) {
        byte[] bytes = segment.bytes(file);
        for (int length = 0; length < bytes.length + 100; ) {
          if (length != bytes.length) {
            SegmentVectors.Look look = look(segment, file, Arrays.copyOf(bytes, length));
            assertFalse(look.opened(), file + " of " + length);
            assertSaysWhere(look.complaints().getFirst(), segment.name(file));
          }
          boolean dense = METAS.contains(file) || length < 200 || length >= bytes.length - 40;
          length += dense ? 1 : 1 + random.nextInt(bytes.length / Effort.of(40, 1000));
        }
      }
    }
  }

  /** As above, with a footer where the file now ends. */
  @ParameterizedTest
  @EnumSource
  void filesOfAnotherLengthWithARightChecksumAreRefused(
      CodesMeta.Arrangement arrangement, Random random) throws IOException {
    try (Directory directory = write("index", arrangement, random)) {
      SegmentVectors segment = SegmentVectors.of(directory, 0, random);
      for (SegmentFile file : SegmentFile.values()) {
        byte[] body = segment.body(file);
        int header = segment.headerLength(file);
        for (int length = 0; length < body.length + 100; ) {
          if (length != body.length) {
            byte[] damaged =
                ReplacedFiles.withBody(segment.bytes(file), header, Arrays.copyOf(body, length));
            SegmentVectors.Look look = look(segment, file, damaged);
            assertFalse(look.opened(), file + " of " + length);
            assertTrue(isRefusal(look.complaints().getFirst()), look.complaints()::toString);
          }
          boolean dense = METAS.contains(file) || length >= body.length - 70;
          length += dense ? 1 : 1 + random.nextInt(body.length / Effort.of(40, 1000));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void filesOfAnotherSegmentAreRefused(CodesMeta.Arrangement arrangement, Random random)
      throws IOException {
    try (Directory directory = write("index", arrangement, random);
        Directory stranger = write("stranger", arrangement, random)) {
      SegmentVectors segment = SegmentVectors.of(directory, 0, random);
      List<SegmentVectors> others =
          List.of(SegmentVectors.of(directory, 1, random), SegmentVectors.of(stranger, 0, random));
      for (SegmentVectors other : others) {
        for (SegmentFile file : SegmentFile.values()) {
          SegmentVectors.Look look = look(segment, file, other.bytes(file));
          assertFalse(look.opened(), file.toString());
          assertSaysWhere(look.complaints().getFirst(), segment.name(file));
        }
      }
    }
  }

  /** Under a header of the segment, that is: contents that are good, but those of another one. */
  @ParameterizedTest
  @EnumSource
  void contentsOfAnotherSegmentGiveHitsOrACleanException(
      CodesMeta.Arrangement arrangement, Random random) throws IOException {
    try (Directory directory = write("index", arrangement, random);
        Directory stranger = write("stranger", arrangement, random)) {
      SegmentVectors segment = SegmentVectors.of(directory, 0, random);
      List<SegmentVectors> others =
          List.of(SegmentVectors.of(directory, 1, random), SegmentVectors.of(stranger, 0, random));
      for (SegmentVectors other : others) {
        for (int files = 1; files < 16; files++) {
          Map<String, byte[]> exchanged = new HashMap<>();
          for (SegmentFile file : SegmentFile.values()) {
            if ((files >>> METAS.indexOf(file) + 1 & 1) != 0 && METAS.contains(file)
                || (files >>> DATA.indexOf(file) + 3 & 1) != 0 && DATA.contains(file)) {
              byte[] bytes =
                  ReplacedFiles.withBody(
                      segment.bytes(file), segment.headerLength(file), other.body(file));
              if (!Arrays.equals(bytes, segment.bytes(file))) { // files without a field are equal
                exchanged.put(segment.name(file), bytes);
              }
            }
          }
          try (ReplacedFiles replaced = new ReplacedFiles(directory, scratch, exchanged)) {
            SegmentVectors.Look look = segment.look(replaced);
            for (IOException e : look.complaints()) {
              assertInstanceOf(CorruptIndexException.class, e);
            }
            // Two segments of 300 and 200 documents cannot be taken for each other.
            assertTrue(
                other.maxDoc() == segment.maxDoc() || exchanged.isEmpty() || !look.isClean(),
                exchanged.keySet()::toString);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aFileUnderTheNameOfAnotherIsRefused(CodesMeta.Arrangement arrangement, Random random)
      throws IOException {
    try (Directory directory = write("index", arrangement, random)) {
      SegmentVectors segment = SegmentVectors.of(directory, 0, random);
      for (SegmentFile file : SegmentFile.values()) {
        for (SegmentFile other : SegmentFile.values()) {
          if (file != other) {
            SegmentVectors.Look look = look(segment, file, segment.bytes(other));
            assertFalse(look.opened(), file + " from " + other);
            IOException e = look.complaints().getFirst();
            assertSaysWhere(e, segment.name(file));
            assertTrue(e.getMessage().contains("codec mismatch"), e.getMessage());
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aMissingFileIsNamed(CodesMeta.Arrangement arrangement, Random random) throws IOException {
    try (Directory directory = write("index", arrangement, random)) {
      SegmentVectors segment = SegmentVectors.of(directory, 0, random);
      for (SegmentFile file : SegmentFile.values()) {
        try (ReplacedFiles files = replaced(segment, file, ReplacedFiles.MISSING)) {
          IOException e =
              assertThrows(CorruptIndexException.class, () -> DirectoryReader.open(files).close());
          assertSaysWhere(e, segment.name(file));
          assertInstanceOf(NoSuchFileException.class, e.getCause());
        }
      }
    }
  }

  /** What Lucene does with a segment beside searching it: to check it, and to merge it. */
  @ParameterizedTest
  @EnumSource
  void damagedSegmentsAreCheckedAndMergedOrRefused(CodesMeta.Arrangement arrangement, Random random)
      throws IOException {
    try (Directory directory = write("index", arrangement, random)) {
      int merged = 0;
      int rounds = Effort.of(16, 1500);
      for (int round = 0; round < rounds; round++) {
        SegmentVectors segment = SegmentVectors.of(directory, random.nextInt(2), random);
        boolean graph = arrangement == CodesMeta.Arrangement.ROWS;
        SegmentFile file = SegmentFile.values()[random.nextInt(graph ? 4 : 2)];
        byte[] damaged = segment.bytes(file);
        int header = segment.headerLength(file);
        int body = segment.body(file).length;
        for (int i = random.nextInt(8); i >= 0; i--) {
          damaged[header + random.nextInt(body)] = (byte) random.nextInt(256);
        }
        boolean found = random.nextInt(4) == 0; // by the checksum
        byte[] bytes = found ? damaged : ReplacedFiles.withChecksum(damaged);
        boolean same = Arrays.equals(bytes, segment.bytes(file));
        try (ReplacedFiles files = replaced(segment, file, bytes);
            Directory copy = new ByteBuffersDirectory()) {
          files.copyTo(copy);
          boolean clean = check(copy);
          assertTrue(!found || same || !clean, "CheckIndex verifies checksums");
          boolean worked = merge(copy, arrangement);
          assertTrue(!found || same || !worked, "a merge verifies checksums");
          merged += worked ? 1 : 0;
        } catch (RuntimeException | AssertionError e) {
          throw new AssertionError("round " + round + ": " + file, e);
        }
      }
      Figures.print("%s: %d of %d damaged indexes merged", arrangement, merged, rounds);
    }
  }

  private static boolean check(Directory directory) throws IOException {
    try (CheckIndex check = new CheckIndex(directory)) {
      CheckIndex.Status status = check.checkIndex();
      for (CheckIndex.Status.SegmentInfoStatus segment : status.segmentInfos) {
        for (Throwable error : errors(segment)) {
          assertTrue(
              error instanceof IOException || error instanceof CheckIndex.CheckIndexException,
              () -> Arrays.toString(error.getStackTrace()) + error);
        }
      }
      return status.clean;
    }
  }

  private static List<Throwable> errors(CheckIndex.Status.SegmentInfoStatus segment) {
    List<Throwable> errors = new ArrayList<>();
    if (segment.error != null) {
      errors.add(segment.error);
    }
    if (segment.vectorValuesStatus != null && segment.vectorValuesStatus.error != null) {
      errors.add(segment.vectorValuesStatus.error);
    }
    return errors;
  }

  /** Merges both segments, and returns whether that was possible: then the new one is good. */
  static boolean merge(Directory directory, CodesMeta.Arrangement arrangement) throws IOException {
    IndexWriterConfig config =
        VectorIndex.mergingConfig(new Pq32HnswVectorsFormat(SampleIndex.config(arrangement)));
    try (IndexWriter writer = new IndexWriter(directory, config)) {
      try {
        writer.forceMerge(1);
      } catch (IOException e) {
        writer.rollback();
        throw e;
      }
    } catch (IOException e) {
      assertTrue(isRefusal(e), () -> Arrays.toString(e.getStackTrace()) + e);
      return false;
    }
    assertTrue(check(directory), "merged");
    try (DirectoryReader reader = DirectoryReader.open(directory)) {
      assertEquals(1, reader.leaves().size());
      IndexSearcher searcher = new IndexSearcher(reader);
      for (SampleIndex.FloatField field : SampleIndex.FIELDS) {
        float[] query = new float[field.dimension()];
        Arrays.fill(query, 0.5f);
        var found = searcher.search(new KnnFloatVectorQuery(field.name(), query, 10), 10);
        assertEquals(10, found.scoreDocs.length, field.name());
      }
    }
    return true;
  }
}
