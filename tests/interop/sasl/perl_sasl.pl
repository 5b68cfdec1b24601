# Perl's Authen::SASL as client of tests/interop/README.md's line protocol.
use strict;
use warnings;

# It chooses by strength, and prefers des to rc4-56, which is as strong to it; but only if it has des.
BEGIN {
    unshift @INC, sub { die "not wanted\n" if $_[1] eq 'Crypt/DES.pm'; return }
        if grep { $_ eq 'cipher=rc4-56' } @ARGV;
}
use Authen::SASL qw(Perl);
use MIME::Base64 qw(decode_base64 encode_base64);

if (!@ARGV) {
    print "$Authen::SASL::VERSION\n";
    exit;
}
my $role = shift @ARGV;
$role eq 'client' or die "Authen::SASL is a client here\n";
my %settings = map { split /=/, $_, 2 } @ARGV;
my %strengths = (auth => 0, 'auth-int' => 1, rc4 => 128, '3des' => 112, 'rc4-56' => 56, des => 56, 'rc4-40' => 40);
my $qop = $settings{qop} // 'auth';
my $strength = $strengths{$qop eq 'auth-conf' ? $settings{cipher} // 'rc4' : $qop};
$| = 1;

my $client;

sub begin {
    my $sasl = Authen::SASL->new(
        mechanism => 'DIGEST-MD5',
        callback  => {
            # With DIGEST-MD5 its `authname` is the authorisation identity.
            user     => $settings{user},
            authname => $settings{authzid},
            pass     => $settings{password},
            realm    => $settings{realm},
        },
    );
    $client = $sasl->client_new($settings{service} // 'imap', $settings{host} // 'localhost');
    $client->property(minssf => $strength, maxssf => $strength, maxbuf => $settings{maxbuf} // 65536);
    my $token = $client->client_start;
    return defined $token ? 'token ' . encode_base64($token, '') : 'failed ' . $client->error;
}

sub step {
    my $token = $client->client_step(shift);
    return 'failed ' . $client->error if $client->error;
    return 'done qop=' . $qop . ' user=' if $client->is_success;
    return 'token ' . encode_base64($token // '', '');
}

# The length of four bytes is its caller's.
sub wrap {
    my $wrapped = $client->encode(shift);
    return 'wrapped ' . encode_base64(pack('N/a*', $wrapped), '');
}

sub unwrap {
    my $packets = shift;
    my $messages = '';
    while (length $packets) {
        (my $packet, $packets) = unpack('N/a* a*', $packets);
        my $message = $client->decode($packet, length $packet);
        return 'failed decode refuses' unless defined $message;
        $messages .= $message;
    }
    return 'unwrapped ' . encode_base64($messages, '');
}

my %answers = (start => \&begin, token => \&step, wrap => \&wrap, unwrap => \&unwrap);
while (my $line = <STDIN>) {
    my ($word, $text) = $line =~ /^(\S+)\s*(\S*)/;
    my $answer = eval { $answers{$word}->(decode_base64($text)) } // "failed $@";
    chomp $answer;
    print "$answer\n";
}
