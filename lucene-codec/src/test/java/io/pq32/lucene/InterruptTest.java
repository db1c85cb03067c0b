package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.Effort;
import io.pq32.quantization.SeededRandom;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.store.AlreadyClosedException;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.MMapDirectory;
import org.apache.lucene.store.NIOFSDirectory;
import org.apache.lucene.tests.store.MockDirectoryWrapper;
import org.apache.lucene.util.ThreadInterruptedException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A thread interrupted wherever it is: an exception that says so, or none; and nothing lost. */
@ExtendWith(SeededRandom.class)
class InterruptTest {
  private static final int OPERATIONS = 300;
  private static final Script SCRIPT = new Script(13, 16, 400);

  /** Interrupts the thread that does the nth operation on a directory. */
  private static final class Interrupt extends MockDirectoryWrapper.Failure {
    private final long nth;
    private long operations;

    Interrupt(long nth) {
      this.nth = nth;
    }

    @Override
    public void eval(MockDirectoryWrapper directory) {
      if (++operations == nth) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @AfterEach
  void leaveNoInterrupt() {
    Thread.interrupted();
  }

  /** Writes, merges and commits; or stops at an interrupt and says so. */
  private static boolean write(Directory directory, KnnVectorsFormat format, int from)
      throws IOException {
    try (IndexWriter writer =
        new IndexWriter(directory, VectorIndex.mergingConfig(format).setCommitOnClose(false))) {
      try {
        for (int end = from; end < from + OPERATIONS; end += OPERATIONS / 3) {
          SCRIPT.apply(writer, end, end + OPERATIONS / 3);
          writer.flush();
        }
        writer.forceMerge(1);
        Script.commit(writer, from + OPERATIONS);
      } catch (Throwable t) {
        Thread.interrupted();
        writer.rollback();
        throw t;
      }
      return true;
    } catch (Exception e) {
      if (!saysInterrupted(e)) {
        throw e;
      }
      return false;
    }
  }

  /** Whether an exception is one that an interrupt leads to, also through what it has closed. */
  private static boolean saysInterrupted(Throwable e) {
    return e != null
        && (e instanceof ThreadInterruptedException
            || e instanceof ClosedChannelException
            || e instanceof AlreadyClosedException
            || saysInterrupted(e.getCause()));
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void aWriterInterruptedAnywhereKeepsItsCommits(
      Storage storage, Random random, @TempDir Path folder) throws IOException {
    KnnVectorsFormat format = storage.format();
    long operations = 0;
    int committed = 0;
    int interrupted = 0;
    int rounds = Effort.of(12, 100);
    for (int round = 0; round < rounds; round++) {
      Interrupt interrupt =
          new Interrupt(round == 0 ? Long.MAX_VALUE : 1 + random.nextLong(operations));
      try (MockDirectoryWrapper directory =
          new MockDirectoryWrapper(random, new MMapDirectory(folder))) {
        directory.failOn(interrupt);
        if (!write(directory, format, committed)) {
          interrupted++;
        }
        Thread.interrupted();
        operations = Math.max(operations, interrupt.operations);
        assertEquals(0, directory.getFileHandleCount(), "files open");
        try (DirectoryReader reader = DirectoryReader.open(directory)) {
          int holds = Script.operations(reader);
          assertTrue(holds == committed || holds == committed + OPERATIONS, "" + holds);
          SCRIPT.assertHolds(reader, holds);
          SCRIPT.assertFinds(reader, random);
          committed = holds;
        }
      }
    }
    assertTrue(interrupted > 0, "no interrupt was noticed");
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void aSearchOfMappedFilesGoesOnAndKeepsTheInterrupt(
      Storage storage, Random random, @TempDir Path folder) throws IOException {
    try (Directory directory = new MMapDirectory(folder)) {
      write(directory, storage.format(), 0);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        Thread.currentThread().interrupt();
        SCRIPT.assertFinds(reader, random);
        assertTrue(Thread.interrupted());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void aSearchOfOtherFilesSaysSoAndTheNextReaderFindsAll(
      Storage storage, Random random, @TempDir Path folder) throws IOException {
    try (FaultyReads directory = new FaultyReads(new NIOFSDirectory(folder))) {
      write(directory, storage.format(), 0);
      for (int round = 0; round < Effort.of(8, 100); round++) {
        try (DirectoryReader reader = DirectoryReader.open(directory)) {
          AtomicLong left = new AtomicLong(random.nextLong(60));
          directory.before(
              _ -> {
                if (left.getAndDecrement() == 0) {
                  Thread.currentThread().interrupt();
                }
              });
          try {
            SCRIPT.assertFinds(reader, random);
          } catch (IOException | RuntimeException e) {
            if (!saysInterrupted(e)) {
              throw e;
            }
          }
          directory.before(_ -> {});
        }
        Thread.interrupted();
        try (DirectoryReader reader = DirectoryReader.open(directory)) {
          SCRIPT.assertFinds(reader, random);
        }
      }
    }
  }
}
