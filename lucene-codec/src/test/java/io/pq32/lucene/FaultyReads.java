package io.pq32.lucene;

import java.io.IOException;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FilterDirectory;
import org.apache.lucene.store.FilterIndexInput;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexInput;

/**
 * Asks a test before every read of a file, so that it may fail or wait there. Nothing is mapped:
 * inputs are read through Lucene's methods.
 */
final class FaultyReads extends FilterDirectory {
  /** What a test does before a read. */
  @FunctionalInterface
  interface Hook {
    void beforeRead(String file) throws IOException;
  }

  private volatile Hook hook = _ -> {};

  FaultyReads(Directory in) {
    super(in);
  }

  /** Replaces what is done before every read, of files that are open already too. */
  void before(Hook hook) {
    this.hook = hook;
  }

  @Override
  public IndexInput openInput(String name, IOContext context) throws IOException {
    return new Input(name, in.openInput(name, context));
  }

  private final class Input extends FilterIndexInput {
    private final String file;

    Input(String file, IndexInput in) {
      super(file, in);
      this.file = file;
    }

    @Override
    public IndexInput clone() {
      return new Input(file, in.clone());
    }

    @Override
    public IndexInput slice(String description, long offset, long length) throws IOException {
      return new Input(file, in.slice(description, offset, length));
    }

    @Override
    public byte readByte() throws IOException {
      hook.beforeRead(file);
      return in.readByte();
    }

    @Override
    public void readBytes(byte[] bytes, int offset, int length) throws IOException {
      hook.beforeRead(file);
      in.readBytes(bytes, offset, length);
    }

    @Override
    public void readFloats(float[] floats, int offset, int length) throws IOException {
      hook.beforeRead(file);
      in.readFloats(floats, offset, length);
    }
  }
}
