package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.Effort;
import io.pq32.quantization.SeededRandom;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.store.AlreadyClosedException;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FilterDirectory;
import org.apache.lucene.store.FilterIndexOutput;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexOutput;
import org.apache.lucene.tests.store.MockDirectoryWrapper;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Whatever a disk does, and whenever: the last commit is there, nothing stays open, no file is left
 * behind, and writing and searching go on as soon as the disk does.
 */
@ExtendWith(SeededRandom.class)
class DiskFaultTest {
  /** Operations in the commits: what is there before, after two flushes, and merged. */
  private static final int FIRST_COMMIT = 200;

  private static final int SECOND_COMMIT = 400;
  private static final int LAST_COMMIT = 500;
  private static final int AFTERWARDS = 600;

  /** Bytes that an index may be smaller than the same one written before: names and times. */
  private static final int MAX_VARIATION = 1024;

  private static final Set<Integer> COMMITS = Set.of(FIRST_COMMIT, SECOND_COMMIT, LAST_COMMIT);
  private static final Script SCRIPT = new Script(7, 16, 300);

  /** An index, and a format that goes on writing it. */
  private record Index(KnnVectorsFormat format, Directory committed) {
    static Index of(Storage storage) throws IOException {
      Index index = new Index(storage.format(), new ByteBuffersDirectory());
      try (IndexWriter writer = new IndexWriter(index.committed, index.config())) {
        SCRIPT.apply(writer, 0, FIRST_COMMIT);
        Script.commit(writer, FIRST_COMMIT);
      }
      return index;
    }

    IndexWriterConfig config() {
      return VectorIndex.mergingConfig(format).setCommitOnClose(false);
    }

    Directory copy() throws IOException {
      Directory copy = new ByteBuffersDirectory();
      for (String file : committed.listAll()) {
        copy.copyFrom(committed, file, file, IOContext.READONCE);
      }
      return copy;
    }

    /**
     * Goes on with the script until it ends or something fails.
     *
     * @return the failure, or null
     */
    Exception write(Directory directory) {
      try (IndexWriter writer = new IndexWriter(directory, config())) {
        try {
          SCRIPT.apply(writer, FIRST_COMMIT, FIRST_COMMIT + 100);
          writer.flush();
          SCRIPT.apply(writer, FIRST_COMMIT + 100, SECOND_COMMIT);
          Script.commit(writer, SECOND_COMMIT);
          SCRIPT.apply(writer, SECOND_COMMIT, LAST_COMMIT);
          writer.forceMerge(1);
          Script.commit(writer, LAST_COMMIT);
        } catch (Throwable t) {
          writer.rollback();
          throw t;
        }
        return null;
      } catch (IOException | AlreadyClosedException e) { // the latter after the former
        return e;
      } catch (RuntimeException e) {
        if (e.getCause() instanceof UnreadableException) { // so says Lucene of packed doc values
          return e;
        }
        throw e;
      }
    }

    /**
     * The index that the whole script makes: one segment, large enough for its codes to be used.
     */
    Index merged() throws IOException {
      Index merged = new Index(format, copy());
      assertNull(merged.write(merged.committed));
      return merged;
    }

    /** Checks an index whose disk works again, and that writing it goes on. */
    void check(MockDirectoryWrapper directory, Random random) throws IOException {
      assertEquals(0, directory.getFileHandleCount(), "files open");
      int operations = checkCommit(directory, random);
      assertTrue(COMMITS.contains(operations), operations + " operations are no commit");
      try (IndexWriter writer = new IndexWriter(directory, config())) {
        assertFiles(directory);
        SCRIPT.apply(writer, operations, AFTERWARDS);
        writer.forceMerge(1);
        Script.commit(writer, AFTERWARDS);
      }
      assertEquals(AFTERWARDS, checkCommit(directory, random));
    }
  }

  private static int checkCommit(Directory directory, Random random) throws IOException {
    try (DirectoryReader reader = DirectoryReader.open(directory)) {
      SCRIPT.assertHolds(reader, Script.operations(reader));
      SCRIPT.assertFinds(reader, random);
      return Script.operations(reader);
    }
  }

  /** Fails unless the files are those of the commit. */
  private static void assertFiles(Directory directory) throws IOException {
    try (DirectoryReader reader = DirectoryReader.open(directory)) {
      assertEquals(
          new TreeSet<>(reader.getIndexCommit().getFileNames()),
          new TreeSet<>(Arrays.asList(directory.listAll())));
    }
  }

  /** Fails the nth operation on a directory, or all from the nth on, until it is repaired. */
  private static final class Fault extends MockDirectoryWrapper.Failure {
    private final long nth;
    private final boolean lasting;
    private long operations;
    private boolean repaired;

    Fault(long nth, boolean lasting) {
      this.nth = nth;
      this.lasting = lasting;
    }

    @Override
    public void eval(MockDirectoryWrapper directory) throws IOException {
      long operation = ++operations;
      if (!repaired && (operation == nth || lasting && operation > nth)) {
        throw new MockDirectoryWrapper.FakeIOException();
      }
    }
  }

  private static long countOperations(Index index, Random random) throws IOException {
    Fault none = new Fault(Long.MAX_VALUE, false);
    try (MockDirectoryWrapper directory = new MockDirectoryWrapper(random, index.copy())) {
      directory.failOn(none);
      assertNull(index.write(directory));
      return none.operations;
    }
  }

  /** What happens at one of the places where something may. */
  @FunctionalInterface
  private interface Step {
    void at(long place) throws IOException;
  }

  /** Steps over places 1 to {@code last}: over each of them, or at random over as many as told. */
  private static void step(long last, int steps, Random random, Step step) throws IOException {
    for (int i = 0; i < Math.min(last, steps); i++) {
      long from = i * last / steps;
      long to = (i + 1) * last / steps;
      step.at(last <= steps ? i + 1 : 1 + from + random.nextLong(to - from));
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void outlivesAFailureOfAnyOperation(Storage storage, Random random) throws IOException {
    Index index = Index.of(storage);
    long operations = countOperations(index, random);
    step(
        operations,
        Effort.of(12, 120),
        random,
        nth -> {
          Fault fault = new Fault(nth, false);
          try (MockDirectoryWrapper directory = new MockDirectoryWrapper(random, index.copy())) {
            directory.failOn(fault);
            index.write(directory); // which may go on, if it was a file that could not be deleted
            assertTrue(fault.operations >= nth, nth + " of " + operations);
            index.check(directory, random);
          }
        });
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void outlivesADiskThatIsGoneFromAnyOperationOn(Storage storage, Random random)
      throws IOException {
    Index index = Index.of(storage);
    step(
        countOperations(index, random),
        Effort.of(12, 120),
        random,
        nth -> {
          Fault fault = new Fault(nth, true);
          try (MockDirectoryWrapper directory = new MockDirectoryWrapper(random, index.copy())) {
            directory.failOn(fault);
            assertNotNull(index.write(directory));
            fault.repaired = true;
            index.check(directory, random);
          }
        });
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void outlivesADiskThatIsFullAtAnyByte(Storage storage, Random random) throws IOException {
    Index index = Index.of(storage);
    long before;
    long most;
    try (MockDirectoryWrapper directory = new MockDirectoryWrapper(random, index.copy())) {
      before = directory.sizeInBytes();
      directory.setTrackDiskUsage(true);
      assertNull(index.write(directory));
      most = directory.getMaxUsedSizeInBytes();
    }
    long needed = most - before - MAX_VARIATION;
    step(
        needed,
        Effort.of(3, 30),
        random,
        more -> {
          try (MockDirectoryWrapper directory = new MockDirectoryWrapper(random, index.copy())) {
            directory.setMaxSizeInBytes(before + more);
            assertNotNull(index.write(directory), more + " of " + needed);
            directory.setMaxSizeInBytes(0);
            index.check(directory, random);
          }
        });
  }

  /** Is full when one file is about to get its last byte, or when it is closed. */
  private static final class FullAtEnd extends FilterDirectory {
    final Map<String, Long> lengths = new TreeMap<>(); // of the files written
    private final long length; // that the file must not get; -1: it must not be closed
    private String file; // null: none

    FullAtEnd(Directory in, String file, long length) {
      super(in);
      this.file = file;
      this.length = length;
    }

    void repair() {
      file = null;
    }

    @Override
    public IndexOutput createOutput(String name, IOContext context) throws IOException {
      return new FilterIndexOutput("full at the end", name, in.createOutput(name, context)) {
        private void write(long reached) throws IOException {
          if (name.equals(file) && reached == length) {
            throw new IOException("no room for the end of " + name);
          }
        }

        @Override
        public void writeByte(byte value) throws IOException {
          write(getFilePointer() + 1);
          super.writeByte(value);
        }

        @Override
        public void writeBytes(byte[] bytes, int offset, int count) throws IOException {
          write(getFilePointer() + count);
          super.writeBytes(bytes, offset, count);
        }

        @Override
        public void close() throws IOException {
          lengths.put(name, getFilePointer());
          super.close();
          write(-1);
        }
      };
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void outlivesADiskThatIsFullAtTheEndOfAnyFileOfOurs(Storage storage, Random random)
      throws IOException {
    Index index = Index.of(storage);
    Map<String, Long> lengths;
    try (FullAtEnd directory = new FullAtEnd(index.copy(), null, 0)) {
      assertNull(index.write(directory));
      lengths = directory.lengths;
    }
    lengths.keySet().removeIf(file -> !file.matches(".*\\.(vemq|veq|vem|vex)"));
    assertEquals(4 * 4, lengths.size(), "three flushed and one merged");
    for (Map.Entry<String, Long> file : lengths.entrySet()) {
      long length = random.nextBoolean() ? file.getValue() : -1;
      FullAtEnd full = new FullAtEnd(index.copy(), file.getKey(), length);
      try (MockDirectoryWrapper directory = new MockDirectoryWrapper(random, full)) {
        assertNotNull(index.write(directory), file.getKey());
        full.repair();
        index.check(directory, random);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void outlivesAFailureOfAnyRead(Storage storage, Random random) throws IOException {
    Index index = Index.of(storage);
    AtomicLong reads = new AtomicLong();
    try (FaultyReads directory = new FaultyReads(index.copy())) {
      directory.before(_ -> reads.incrementAndGet());
      assertNull(index.write(directory));
    }
    step(
        reads.get(),
        Effort.of(12, 120),
        random,
        nth -> {
          FaultyReads faulty = new FaultyReads(index.copy());
          try (MockDirectoryWrapper directory = new MockDirectoryWrapper(random, faulty)) {
            faulty.before(failing(nth));
            index.write(directory);
            faulty.before(_ -> {});
            index.check(directory, random);
          }
        });
  }

  private static FaultyReads.Hook failing(long nth) {
    AtomicLong reads = new AtomicLong();
    return file -> {
      if (reads.incrementAndGet() == nth) {
        throw new UnreadableException(file);
      }
    };
  }

  private static final class UnreadableException extends IOException {
    UnreadableException(String file) {
      super("cannot read " + file);
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void openingThatFailsAnywhereLeavesNothingOpen(Storage storage, Random random)
      throws IOException {
    Index index = Index.of(storage);
    boolean failed = true;
    for (long nth = 1; failed; nth++) {
      Fault fault = new Fault(nth, false);
      try (MockDirectoryWrapper directory = new MockDirectoryWrapper(random, index.copy())) {
        directory.failOn(fault);
        try {
          DirectoryReader.open(directory).close();
          failed = false;
        } catch (MockDirectoryWrapper.FakeIOException _) {
          failed = true;
        }
        fault.repaired = true;
        assertEquals(0, directory.getFileHandleCount(), "files open after failure " + nth);
        checkCommit(directory, random);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void openingWithAFileThatCannotBeReadLeavesNothingOpen(Storage storage, Random random)
      throws IOException {
    Index index = Index.of(storage);
    for (String file : index.committed.listAll()) {
      FaultyReads faulty = new FaultyReads(index.copy());
      try (MockDirectoryWrapper directory = new MockDirectoryWrapper(random, faulty)) {
        faulty.before(
            read -> {
              if (read.equals(file)) {
                throw new UnreadableException(file);
              }
            });
        assertThrows(IOException.class, () -> DirectoryReader.open(directory).close(), file);
        assertEquals(0, directory.getFileHandleCount(), "files open without " + file);
        faulty.before(_ -> {});
        checkCommit(directory, random);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void aReadThatFailsSpoilsNoSearchButItsOwn(Storage storage, Random random) throws IOException {
    Index index = Index.of(storage).merged();
    float[] query = SCRIPT.vector(random.nextInt(FIRST_COMMIT));
    try (FaultyReads shared = new FaultyReads(index.copy());
        DirectoryReader codebookUser = DirectoryReader.open(shared)) {
      shared.before(failing(1)); // of the codebook
      assertThrows(UnreadableException.class, () -> Script.search(codebookUser, query));
      shared.before(_ -> {});
      SCRIPT.assertFinds(codebookUser, random);
      // The readers below share the codebook as long as this one is open: else it would depend on
      // the garbage collector whether their first searches read it.
      List<String> reads = new ArrayList<>(); // of which file
      Pq32SearchStats usual;
      try (FaultyReads directory = new FaultyReads(index.copy());
          DirectoryReader reader = DirectoryReader.open(directory)) {
        directory.before(reads::add);
        Script.search(reader, query);
        usual = Pq32SearchStats.of(reader, VectorIndex.FIELD);
      }
      assertTrue(reads.size() > 10, reads.size() + " reads");
      assertEquals(storage == Storage.FLOATS, usual.exactScans() > 0, usual.toString());
      Step failure =
          nth -> {
            try (FaultyReads directory = new FaultyReads(index.copy());
                DirectoryReader reader = DirectoryReader.open(directory)) {
              directory.before(failing(nth));
              assertThrows(UnreadableException.class, () -> Script.search(reader, query));
              directory.before(_ -> {});
              Pq32SearchStats before = Pq32SearchStats.of(reader, VectorIndex.FIELD);
              Script.search(reader, query);
              // Hits of so few vectors are right even where the codes are not: the cost is not.
              assertEquals(usual, Pq32SearchStats.of(reader, VectorIndex.FIELD).minus(before));
              SCRIPT.assertFinds(reader, random);
            }
          };
      for (int i = 0; i < reads.size(); i++) {
        if (!reads.get(i).endsWith(".vec")) { // codes, at their first use
          failure.at(i + 1);
        }
      }
      step(reads.size(), Effort.of(12, 120), random, failure);
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void outlivesFailuresAtRandom(Storage storage, Random random) throws IOException {
    KnnVectorsFormat format = storage.format();
    int rounds = Effort.of(30, 600);
    int failed = 0;
    int committed = 0;
    try (MockDirectoryWrapper directory =
        new MockDirectoryWrapper(random, new ByteBuffersDirectory())) {
      for (int round = 0; round < rounds; round++) {
        directory.setRandomIOExceptionRate(0.003);
        directory.setRandomIOExceptionRateOnOpen(0.003);
        int operation = committed;
        try (IndexWriter writer =
            new IndexWriter(directory, VectorIndex.mergingConfig(format).setCommitOnClose(false))) {
          try {
            for (int end = operation + 50 + random.nextInt(200); operation < end; operation++) {
              SCRIPT.apply(writer, operation);
              if (random.nextInt(50) == 0) {
                writer.flush();
              }
            }
            if (random.nextBoolean()) {
              writer.forceMerge(1 + random.nextInt(3));
            }
            Script.commit(writer, operation);
            committed = operation;
          } catch (Throwable t) {
            writer.rollback();
            throw t;
          }
        } catch (IOException | AlreadyClosedException _) {
          failed++;
        }
        directory.setRandomIOExceptionRate(0);
        directory.setRandomIOExceptionRateOnOpen(0);
        assertEquals(0, directory.getFileHandleCount(), "files open");
        if (DirectoryReader.indexExists(directory)) {
          int found = checkCommit(directory, random);
          assertTrue(found == committed || found == operation, found + " of " + committed);
          committed = found;
        }
      }
    }
    assertTrue(failed >= rounds / 10 && failed <= rounds * 9 / 10, failed + " rounds failed");
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void aMachineThatCrashesKeepsWhatWasCommitted(Storage storage, Random random) throws IOException {
    Index index = Index.of(storage);
    step(
        countOperations(index, random),
        Effort.of(12, 120),
        random,
        nth -> {
          try (MockDirectoryWrapper directory = new MockDirectoryWrapper(random, index.copy())) {
            Fault fault = new Fault(nth, true);
            directory.failOn(fault);
            assertNotNull(index.write(directory));
            fault.repaired = true;
            directory.crash(); // what is not synced is lost or damaged
            directory.clearCrash();
            index.check(directory, random);
          }
        });
  }
}
