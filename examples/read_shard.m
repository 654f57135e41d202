% A shard in GNU Octave, and below in MATLAB.
%
%   octave-cli examples/read_shard.m shards/00000.h5
%
% Octave's load reads HDF5 datasets as matrices, but no attributes: the names of the AUs are taken from the file by
% Debian's h5dump (hdf5-tools). Both programs see the dimensions of HDF5 in reverse: [N, A] arrives as A x N.

arguments = argv();
path = arguments{end};
shard = load('-hdf5', path, 'faces');                 % /samples is text, which load cannot read
intensity = double(shard.faces.au_intensity);        % A x N, 0..5
present = shard.faces.au_present;                    % A x N, 0 or 1
landmarks = shard.faces.landmarks;                   % 2 x 68 x N, pixels of the source image

[status, dump] = system(sprintf('h5dump -a /au_names "%s"', path));
names = regexp(dump, '"(AU\d+)', 'tokens');
names = cellfun(@(token) token{1}, names, 'UniformOutput', false);

printf('%d faces, %d AUs\n', columns(intensity), rows(intensity));
for j = 1:numel(names)
  printf('%-6s present in %5.1f %%, mean %.2f\n', names{j}, 100 * mean(present(j, :)), mean(intensity(j, :)));
end

% The first face's crop is a JPEG: bytes image_offsets(1)+1 .. image_offsets(2).
first = shard.faces.image_bytes(1:shard.faces.image_offsets(2));
printf('first crop: %d bytes, JPEG: %d\n', numel(first), first(1) == 255 && first(2) == 216);

% MATLAB:
%   intensity = h5read(path, '/faces/au_intensity');
%   names     = h5readatt(path, '/', 'au_names');
